// SPDX-License-Identifier: MIT

// The webtransport-go end of the interop cases; tests/interop/README.md lays down what it does.
//
//	peer server --port PORT --cert FILE --key FILE --limits default|tiny
//	peer client --url https://HOST:PORT --case NAME --hash HEX
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
	default:
		err = fmt.Errorf("unknown command %q", os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
