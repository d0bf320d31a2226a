// SPDX-License-Identifier: MIT

// webtransport-go as a server of the benchmark: /echo, /sink and /source, as `webtransport serve` has them.
// It is written as its authors' examples are; buffers are reused where Go would else allocate for each message.
//
//	server [--host ADDRESS] --port PORT --cert FILE --key FILE
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"
)

const chunkSize = 1 << 16

var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// eachStream serves the client's bidirectional streams, each on a goroutine of its own, until the session ends.
func eachStream(s *webtransport.Session, serve func(*webtransport.Stream)) {
	for {
		st, err := s.AcceptStream(context.Background())
		if err != nil {
			return
		}
		go serve(st)
	}
}

func echoDatagrams(s *webtransport.Session) {
	for {
		b, err := s.ReceiveDatagram(context.Background())
		if err != nil {
			return
		}
		s.SendDatagram(b)
	}
}

func echo(s *webtransport.Session, _ *http.Request) {
	go echoDatagrams(s)
	eachStream(s, func(st *webtransport.Stream) {
		// A small buffer: 10,000 idle streams would hold as many of the large ones.
		b := make([]byte, 4096)
		for {
			n, err := st.Read(b)
			if n > 0 {
				if _, err := st.Write(b[:n]); err != nil {
					return
				}
			}
			if err == io.EOF {
				st.Close()
			}
			if err != nil {
				return
			}
		}
	})
}

func sink(s *webtransport.Session, _ *http.Request) {
	eachStream(s, func(st *webtransport.Stream) {
		b := chunks.Get().(*[chunkSize]byte)
		defer chunks.Put(b)
		total := 0
		for {
			n, err := st.Read(b[:])
			total += n
			if err == io.EOF {
				break
			}
			if err != nil {
				return
			}
		}
		fmt.Fprintf(st, "{\"bytes\":%d}", total)
		st.Close()
	})
}

func source(s *webtransport.Session, r *http.Request) {
	go echoDatagrams(s)
	size, _ := strconv.ParseInt(r.URL.Query().Get("bytes"), 10, 64)
	streams, err := strconv.Atoi(r.URL.Query().Get("streams"))
	if err != nil {
		streams = 1
	}
	for range streams {
		st, err := s.OpenUniStreamSync(context.Background())
		if err != nil {
			return
		}
		go func() {
			b := chunks.Get().(*[chunkSize]byte)
			defer chunks.Put(b)
			for left := size; left > 0; {
				n, err := st.Write(b[:min(left, chunkSize)])
				if err != nil {
					return
				}
				left -= int64(n)
			}
			st.Close()
		}()
	}
}

func run(host string, port int, cert, key string) error {
	certificate, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	server := &webtransport.Server{
		H3: &http3.Server{
			Handler: mux,
			TLSConfig: &tls.Config{
				Certificates: []tls.Certificate{certificate},
				NextProtos:   []string{http3.NextProtoH3},
			},
			QUICConfig: &quic.Config{
				EnableDatagrams:                  true,
				EnableStreamResetPartialDelivery: true,
				MaxIncomingStreams:               1 << 16,
				MaxIncomingUniStreams:            1 << 16,
			},
		},
		// Without limits there would be one session on a connection.
		Config: &webtransport.Config{MaxIncomingStreams: 1 << 16, MaxIncomingUniStreams: 1 << 16, MaxIncomingData: 1 << 24},
	}
	for path, serve := range map[string]func(*webtransport.Session, *http.Request){
		"/echo": echo, "/sink": sink, "/source": source,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			s, err := server.Upgrade(w, r)
			if err != nil {
				log.Print(err)
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			go serve(s, r)
		})
	}
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(host), Port: port})
	if err != nil {
		return err
	}
	fmt.Printf("ready %d\n", conn.LocalAddr().(*net.UDPAddr).Port)
	return server.Serve(conn)
}

func main() {
	host := flag.String("host", "127.0.0.1", "address to listen on")
	port := flag.Int("port", 0, "0: any free one")
	cert := flag.String("cert", "", "PEM file")
	key := flag.String("key", "", "PEM file")
	flag.Parse()
	log.Fatal(run(*host, *port, *cert, *key))
}
