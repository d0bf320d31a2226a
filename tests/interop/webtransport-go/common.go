// SPDX-License-Identifier: MIT

// The webtransport-go end of the interop cases; tests/interop/README.md lays down what it does.
//
//	peer server --port PORT --cert FILE --key FILE --limits default|tiny
//	peer client --url https://HOST:PORT --case NAME --hash HEX
//
// and plain HTTP/3 for tests/interop/test_tls.sh:
//
//	peer tls-client --url https://HOST:PORT/PATH --ca FILE [--cert FILE --key FILE] [--group NAME] [--times N] [--key-log FILE]
//	peer tls-server --ca FILE --cert FILE --key FILE [--require]
package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/webtransport-go"
)

const resetBytes = 100

// pattern returns the first n bytes of the pattern.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*31 + i>>8)
	}
	return b
}

// resetCode is the code that stream i is reset with.
func resetCode(i int) webtransport.StreamErrorCode {
	return webtransport.StreamErrorCode(i * 4294967)
}

func digest(b []byte) string { return fmt.Sprintf("%d %x\n", len(b), sha256.Sum256(b)) }

// limits: without any, webtransport-go announces none, and then neither end allows a second session.
func limits(tiny bool) *webtransport.Config {
	if tiny {
		return &webtransport.Config{MaxIncomingStreams: 2, MaxIncomingUniStreams: 2, MaxIncomingData: 4096}
	}
	return &webtransport.Config{MaxIncomingStreams: 100, MaxIncomingUniStreams: 100, MaxIncomingData: 1 << 20}
}

func quicConfig() *quic.Config {
	return &quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: true}
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: peer server|client [options]")
		os.Exit(2)
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	var err error
	switch os.Args[1] {
	case "server":
		port := flags.Int("port", 0, "0: any free one")
		cert := flags.String("cert", "", "PEM file")
		key := flags.String("key", "", "PEM file")
		profile := flags.String("limits", "default", "default or tiny")
		flags.Parse(os.Args[2:])
		err = serve(*port, *cert, *key, *profile == "tiny")
	case "client":
		url := flags.String("url", "", "https://HOST:PORT")
		name := flags.String("case", "", "which case")
		hash := flags.String("hash", "", "SHA-256 of the certificate")
		flags.Parse(os.Args[2:])
		err = runCase(*name, *url, *hash)
	case "tls-client", "tls-server":
		var o tlsOptions
		flags.StringVar(&o.url, "url", "", "https://HOST:PORT/PATH")
		flags.StringVar(&o.ca, "ca", "", "PEM file of authorities")
		flags.StringVar(&o.cert, "cert", "", "PEM file")
		flags.StringVar(&o.key, "key", "", "PEM file")
		flags.StringVar(&o.group, "group", "", "secp384r1, secp521r1, or x25519 and secp256r1")
		flags.StringVar(&o.keyLog, "key-log", "", "where the secrets go")
		flags.BoolVar(&o.require, "require", false, "clients must have a certificate")
		flags.IntVar(&o.times, "times", 1, "how often")
		flags.Parse(os.Args[2:])
		if os.Args[1] == "tls-client" {
			err = tlsClient(o)
		} else {
			err = tlsServer(o)
		}
	default:
		err = fmt.Errorf("unknown command %q", os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
