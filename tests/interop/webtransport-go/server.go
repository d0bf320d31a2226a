// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"
)

// visit is a session and what was asked for with it.
type visit struct {
	s *webtransport.Session
	r *http.Request
}

func (v visit) number(name string, otherwise int) int {
	n, err := strconv.Atoi(v.r.URL.Query().Get(name))
	if err != nil {
		return otherwise
	}
	return n
}

// streams calls the functions, each on a goroutine of its own, for the client's streams; until the session ends.
// It returns why that was.
func (v visit) streams(bidi func(*webtransport.Stream), uni func(*webtransport.ReceiveStream)) error {
	go func() {
		for {
			st, err := v.s.AcceptStream(context.Background())
			if err != nil {
				return
			}
			go bidi(st)
		}
	}()
	for {
		st, err := v.s.AcceptUniStream(context.Background())
		if err != nil {
			return err
		}
		go uni(st)
	}
}

// send puts b on a new unidirectional stream, once the client allows one.
func (v visit) send(b []byte) {
	st, err := v.s.OpenUniStreamSync(context.Background())
	if err != nil {
		return
	}
	if _, err := st.Write(b); err == nil {
		st.Close()
	}
}

func ignoreBidi(st *webtransport.Stream) {
	io.Copy(io.Discard, st)
	st.Close()
}

func ignoreUni(st *webtransport.ReceiveStream) { io.Copy(io.Discard, st) }

func echo(v visit) error {
	go func() {
		for {
			b, err := v.s.ReceiveDatagram(context.Background())
			if err != nil {
				return
			}
			v.s.SendDatagram(b)
		}
	}()
	return v.streams(func(st *webtransport.Stream) {
		if _, err := io.Copy(st, st); err == nil {
			st.Close()
		}
	}, func(st *webtransport.ReceiveStream) {
		if b, err := io.ReadAll(st); err == nil {
			v.send(b)
		}
	})
}

func digests(v visit) error {
	return v.streams(func(st *webtransport.Stream) {
		b, err := io.ReadAll(st)
		if err != nil {
			return
		}
		if _, err := st.Write([]byte(digest(b))); err == nil {
			st.Close()
		}
	}, func(st *webtransport.ReceiveStream) {
		if b, err := io.ReadAll(st); err == nil {
			v.send([]byte(digest(b)))
		}
	})
}

func source(v visit) error {
	bytes := pattern(v.number("bytes", 0))
	for range v.number("streams", 1) {
		if v.r.URL.Query().Get("kind") != "bidi" {
			go v.send(bytes)
			continue
		}
		go func() {
			st, err := v.s.OpenStreamSync(context.Background())
			if err != nil {
				return
			}
			go io.Copy(io.Discard, st)
			if _, err := st.Write(bytes); err == nil {
				st.Close()
			}
		}()
	}
	return v.streams(ignoreBidi, ignoreUni)
}

func resets(v visit) error {
	go func() {
		for i := range v.number("count", 1) {
			st, err := v.s.OpenUniStreamSync(context.Background())
			if err != nil {
				return
			}
			st.Write(pattern(resetBytes))
			st.CancelWrite(resetCode(i))
		}
	}()
	return v.streams(ignoreBidi, ignoreUni)
}

func collect(v visit) error {
	var mu sync.Mutex
	var codes []webtransport.StreamErrorCode
	count := v.number("count", 1)
	note := func(err error) {
		var reset *webtransport.StreamError
		if !errors.As(err, &reset) || !reset.Remote {
			log.Printf("/collect: a stream ended without a code: %v", err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if codes = append(codes, reset.ErrorCode); len(codes) != count {
			return
		}
		slices.Sort(codes)
		var list strings.Builder
		for _, code := range codes {
			fmt.Fprintln(&list, uint32(code))
		}
		go v.send([]byte(list.String()))
	}
	return v.streams(func(st *webtransport.Stream) {
		_, err := io.Copy(io.Discard, st)
		st.Close()
		note(err)
	}, func(st *webtransport.ReceiveStream) {
		_, err := io.Copy(io.Discard, st)
		note(err)
	})
}

func closeAtOnce(v visit) error {
	code, err := strconv.ParseUint(v.r.URL.Query().Get("code"), 10, 32)
	if err != nil {
		return err
	}
	v.s.CloseWithError(webtransport.SessionErrorCode(code), v.r.URL.Query().Get("reason"))
	return &webtransport.SessionError{ErrorCode: webtransport.SessionErrorCode(code), Message: v.r.URL.Query().Get("reason")}
}

// plain answers a request that asks for no session.
func plain(w http.ResponseWriter, r *http.Request) {
	switch r.Method + r.URL.Path {
	case "GET/source":
		w.Write(pattern(visit{r: r}.number("bytes", 0)))
	case "POST/digest":
		if b, err := io.ReadAll(r.Body); err == nil {
			io.WriteString(w, digest(b))
		}
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// serve runs until the process is killed.
func serve(port int, cert, key string, tiny bool) error {
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
			QUICConfig: quicConfig(),
		},
		Config:               limits(tiny),
		ApplicationProtocols: []string{"interop-b", "interop-c"},
	}
	services := map[string]func(visit) error{
		"/echo": echo, "/digest": digests, "/source": source, "/resets": resets, "/collect": collect, "/close": closeAtOnce,
	}
	for path, service := range services {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodConnect {
				plain(w, r)
				return
			}
			s, err := server.Upgrade(w, r)
			if err != nil {
				log.Printf("%s: %v", r.RequestURI, err)
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			go func() {
				var end *webtransport.SessionError
				if !errors.As(service(visit{s, r}), &end) {
					// The call that failed first may know of the context's end alone. This one tells why.
					<-s.Context().Done()
					if _, err := s.OpenStream(); !errors.As(err, &end) {
						end = &webtransport.SessionError{}
					}
				}
				fmt.Printf("closed %s %d %s\n", r.URL.RequestURI(), end.ErrorCode, end.Message)
			}()
		})
	}
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		return err
	}
	fmt.Printf("ready %d\n", conn.LocalAddr().(*net.UDPAddr).Port)
	return server.Serve(conn)
}
