// SPDX-License-Identifier: MIT

// webtransport-go as a server of the benchmark: /echo, /sink, /source and /tick, as `webtransport serve` has them.
// It is written as its authors' examples are; buffers are reused where Go would else allocate for each message.
//
//	server [--host ADDRESS] --port PORT --cert FILE --key FILE
package main

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

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

// A player of /tick: what came from it, which each tick tells (tools/webtransport/common/tick.h).
type player struct {
	session        *webtransport.Session
	size           int
	next, received atomic.Uint64
}

// A clock sends a tick to all of its players at the same time.
type clock struct {
	lock    sync.Mutex
	players map[*player]struct{}
}

func (c *clock) run(hz uint64) {
	begun := time.Now()
	b := make([]byte, 1024)
	for n := uint64(0); ; n++ {
		time.Sleep(time.Until(begun.Add(time.Duration(n/hz)*time.Second + time.Duration(n%hz)*time.Second/time.Duration(hz))))
		binary.BigEndian.PutUint64(b, n)
		c.lock.Lock()
		for p := range c.players {
			binary.BigEndian.PutUint64(b[8:], p.next.Load())
			binary.BigEndian.PutUint64(b[16:], p.received.Load())
			p.session.SendDatagram(b[:p.size])
		}
		c.lock.Unlock()
	}
}

var clocks = struct {
	lock sync.Mutex
	ofHz map[uint64]*clock
}{ofHz: map[uint64]*clock{}}

func clockOf(hz uint64) *clock {
	clocks.lock.Lock()
	defer clocks.lock.Unlock()
	c := clocks.ofHz[hz]
	if c == nil {
		c = &clock{players: map[*player]struct{}{}}
		clocks.ofHz[hz] = c
		go c.run(hz)
	}
	return c
}

func number(r *http.Request, name string, low, high, fallback uint64) uint64 {
	n, err := strconv.ParseUint(r.URL.Query().Get(name), 10, 64)
	if err != nil {
		return fallback
	}
	return min(max(n, low), high)
}

func tick(s *webtransport.Session, r *http.Request) {
	c := clockOf(number(r, "hz", 1, 1000, 60))
	p := &player{session: s, size: int(number(r, "bytes", 24, 1024, 60))}
	c.lock.Lock()
	c.players[p] = struct{}{}
	c.lock.Unlock()
	for {
		b, err := s.ReceiveDatagram(context.Background())
		if err != nil {
			break
		}
		if len(b) >= 8 {
			p.next.Store(max(p.next.Load(), binary.BigEndian.Uint64(b)+1))
			p.received.Add(1)
		}
	}
	c.lock.Lock()
	delete(c.players, p)
	c.lock.Unlock()
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
		"/echo": echo, "/sink": sink, "/source": source, "/tick": tick,
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
