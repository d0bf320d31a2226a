// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"
)

var sizes = []int{0, 1, 1000, 65536, 2097152}

const (
	resetCount    = 1000
	datagrams     = 100
	datagramsMin  = 95
	datagramBytes = 64
	window        = 8
	flowStreams   = 10
	flowBytes     = 20000
)

// dialer makes connections to the server under test.
type dialer struct {
	url, hash string
	tiny      bool
	conns     []*quic.Conn
}

// connect makes a connection for one session or several.
func (d *dialer) connect(ctx context.Context, protocols ...string) (*webtransport.ClientConn, error) {
	u, err := url.Parse(d.url)
	if err != nil {
		return nil, err
	}
	tlsConfig := &tls.Config{
		InsecureSkipVerify: true, // checked by its hash instead
		NextProtos:         []string{http3.NextProtoH3},
		VerifyPeerCertificate: func(chain [][]byte, _ [][]*x509.Certificate) error {
			if sum := sha256.Sum256(chain[0]); hex.EncodeToString(sum[:]) != d.hash {
				return errors.New("another certificate than expected")
			}
			return nil
		},
	}
	conn, err := quic.DialAddr(ctx, u.Host, tlsConfig, quicConfig())
	if err != nil {
		return nil, err
	}
	d.conns = append(d.conns, conn)
	transport := &webtransport.Transport{Config: limits(d.tiny), ApplicationProtocols: protocols}
	return transport.NewClientConn(conn)
}

// dial asks for a session on a connection of its own.
func (d *dialer) dial(ctx context.Context, path string, protocols ...string) (*webtransport.Session, int, error) {
	cc, err := d.connect(ctx, protocols...)
	if err != nil {
		return nil, 0, err
	}
	response, s, err := cc.Dial(ctx, d.url+path, nil)
	if response == nil {
		return s, 0, err
	}
	return s, response.StatusCode, err
}

func (d *dialer) close() {
	for _, conn := range d.conns {
		conn.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")
	}
}

// roundTrip sends b on a new bidirectional stream and returns what comes back. It reads while it writes.
func roundTrip(ctx context.Context, s *webtransport.Session, b []byte) ([]byte, error) {
	st, err := s.OpenStreamSync(ctx)
	if err != nil {
		return nil, err
	}
	failed := make(chan error, 1)
	go func() {
		_, err := st.Write(b)
		if err == nil {
			err = st.Close()
		}
		failed <- err
	}()
	answer, err := io.ReadAll(st)
	if err != nil {
		return nil, err
	}
	return answer, <-failed
}

func sendUni(ctx context.Context, s *webtransport.Session, b []byte) error {
	st, err := s.OpenUniStreamSync(ctx)
	if err != nil {
		return err
	}
	if _, err := st.Write(b); err != nil {
		return err
	}
	return st.Close()
}

func receiveUni(ctx context.Context, s *webtransport.Session) ([]byte, error) {
	st, err := s.AcceptUniStream(ctx)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(st)
}

func same(what string, got, want []byte) error {
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s: %d bytes (%.40q) instead of %d (%.40q)", what, len(got), got, len(want), want)
	}
	return nil
}

func hello(ctx context.Context, s *webtransport.Session) error {
	answer, err := roundTrip(ctx, s, []byte("hello"))
	if err != nil {
		return err
	}
	return same("echo", answer, []byte("hello"))
}

func handshake(ctx context.Context, d *dialer) error {
	s, status, err := d.dial(ctx, "/echo")
	if err != nil {
		return err
	}
	if status != 200 {
		return fmt.Errorf("status %d", status)
	}
	if err := hello(ctx, s); err != nil {
		return err
	}
	return s.CloseWithError(0, "")
}

func rejection(ctx context.Context, d *dialer) error {
	_, status, err := d.dial(ctx, "/nowhere")
	if err == nil || status != 404 {
		return fmt.Errorf("status %d, %v", status, err)
	}
	return nil
}

func subprotocol(ctx context.Context, d *dialer) error {
	s, _, err := d.dial(ctx, "/echo", "interop-a", "interop-b")
	if err != nil {
		return err
	}
	if chosen := s.SessionState().ApplicationProtocol; chosen != "interop-b" {
		return fmt.Errorf("the subprotocol is %q", chosen)
	}
	s, status, err := d.dial(ctx, "/echo", "interop-x")
	if err != nil && status >= 400 {
		return nil
	}
	if err != nil {
		return err
	}
	if chosen := s.SessionState().ApplicationProtocol; chosen != "" {
		return fmt.Errorf("the subprotocol is %q, which was not offered", chosen)
	}
	return hello(ctx, s)
}

func bidi(ctx context.Context, d *dialer) error {
	s, _, err := d.dial(ctx, "/digest")
	if err != nil {
		return err
	}
	for _, size := range sizes {
		answer, err := roundTrip(ctx, s, pattern(size))
		if err != nil {
			return fmt.Errorf("%d bytes up: %w", size, err)
		}
		if err := same("digest", answer, []byte(digest(pattern(size)))); err != nil {
			return err
		}
	}
	for _, size := range sizes {
		s, _, err := d.dial(ctx, fmt.Sprintf("/source?kind=bidi&bytes=%d&streams=1", size))
		if err != nil {
			return err
		}
		st, err := s.AcceptStream(ctx)
		if err != nil {
			return err
		}
		st.Close()
		got, err := io.ReadAll(st)
		if err != nil {
			return fmt.Errorf("%d bytes down: %w", size, err)
		}
		if err := same("source", got, pattern(size)); err != nil {
			return err
		}
	}
	if s, _, err = d.dial(ctx, "/echo"); err != nil {
		return err
	}
	answer, err := roundTrip(ctx, s, pattern(sizes[4]))
	if err != nil {
		return err
	}
	return same("echo", answer, pattern(sizes[4]))
}

func uni(ctx context.Context, d *dialer) error {
	s, _, err := d.dial(ctx, "/digest")
	if err != nil {
		return err
	}
	for _, size := range sizes {
		if err := sendUni(ctx, s, pattern(size)); err != nil {
			return fmt.Errorf("%d bytes up: %w", size, err)
		}
		answer, err := receiveUni(ctx, s)
		if err != nil {
			return fmt.Errorf("the digest of %d bytes: %w", size, err)
		}
		if err := same("digest", answer, []byte(digest(pattern(size)))); err != nil {
			return err
		}
	}
	for _, size := range sizes {
		s, _, err := d.dial(ctx, fmt.Sprintf("/source?kind=uni&bytes=%d&streams=1", size))
		if err != nil {
			return err
		}
		got, err := receiveUni(ctx, s)
		if err != nil {
			return fmt.Errorf("%d bytes down: %w", size, err)
		}
		if err := same("source", got, pattern(size)); err != nil {
			return err
		}
	}
	if s, _, err = d.dial(ctx, "/echo"); err != nil {
		return err
	}
	if err := sendUni(ctx, s, pattern(sizes[3])); err != nil {
		return err
	}
	answer, err := receiveUni(ctx, s)
	if err != nil {
		return err
	}
	return same("echo", answer, pattern(sizes[3]))
}

func datagramOf(number int) []byte {
	b := pattern(datagramBytes + number)[number:]
	b[0], b[1] = byte(number>>8), byte(number)
	return b
}

func datagramCase(ctx context.Context, d *dialer) error {
	s, _, err := d.dial(ctx, "/echo")
	if err != nil {
		return err
	}
	sent, outstanding, back := 0, 0, map[int]bool{}
	for {
		for ; sent < datagrams && outstanding < window; sent++ {
			if err := s.SendDatagram(datagramOf(sent)); err != nil {
				return err
			}
			outstanding++
		}
		if outstanding == 0 {
			break
		}
		late, cancel := context.WithTimeout(ctx, time.Second)
		b, err := s.ReceiveDatagram(late)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			outstanding = 0
			continue
		}
		if err != nil {
			return err
		}
		number := datagrams
		if len(b) >= 2 {
			number = int(b[0])<<8 | int(b[1])
		}
		if number >= sent || !bytes.Equal(b, datagramOf(number)) {
			return fmt.Errorf("a datagram of %d bytes that was never sent", len(b))
		}
		if !back[number] {
			back[number] = true
			outstanding = max(0, outstanding-1)
		}
	}
	fmt.Printf("%d of %d datagrams came back\n", len(back), datagrams)
	if len(back) < datagramsMin {
		return fmt.Errorf("%d of %d datagrams came back", len(back), datagrams)
	}
	return nil
}

func resetsOut(ctx context.Context, d *dialer) error {
	s, _, err := d.dial(ctx, fmt.Sprintf("/collect?count=%d", resetCount))
	if err != nil {
		return err
	}
	var want strings.Builder
	for i := range resetCount {
		fmt.Fprintln(&want, uint32(resetCode(i)))
		if i%2 == 0 {
			st, err := s.OpenUniStreamSync(ctx)
			if err != nil {
				return fmt.Errorf("stream %d: %w", i, err)
			}
			st.Write(pattern(resetBytes))
			st.CancelWrite(resetCode(i))
			continue
		}
		st, err := s.OpenStreamSync(ctx)
		if err != nil {
			return fmt.Errorf("stream %d: %w", i, err)
		}
		st.Write(pattern(resetBytes))
		st.CancelWrite(resetCode(i))
		go io.Copy(io.Discard, st)
	}
	list, err := receiveUni(ctx, s)
	if err != nil {
		return fmt.Errorf("the server's list: %w", err)
	}
	return same("the server's list of codes", list, []byte(want.String()))
}

func resetsIn(ctx context.Context, d *dialer) error {
	s, _, err := d.dial(ctx, fmt.Sprintf("/resets?count=%d", resetCount))
	if err != nil {
		return err
	}
	ends := make(chan error)
	go func() {
		for range resetCount {
			st, err := s.AcceptUniStream(ctx)
			if err != nil {
				ends <- fmt.Errorf("accepting: %w", err)
				return
			}
			go func() {
				_, err := io.Copy(io.Discard, st)
				ends <- err
			}()
		}
	}()
	missing := map[webtransport.StreamErrorCode]bool{}
	for i := range resetCount {
		missing[resetCode(i)] = true
	}
	for range resetCount {
		var reset *webtransport.StreamError
		select {
		case err := <-ends:
			if !errors.As(err, &reset) || !reset.Remote || !missing[reset.ErrorCode] {
				return fmt.Errorf("a stream ended with %v", err)
			}
			delete(missing, reset.ErrorCode)
		case <-ctx.Done():
			return fmt.Errorf("%d of %d resets are missing", len(missing), resetCount)
		}
	}
	return nil
}

// settled makes sure that what was sent on the connection before has reached the server: webtransport-go drops
// what is unsent when the connection closes.
func settled(ctx context.Context, cc *webtransport.ClientConn, d *dialer) error {
	_, s, err := cc.Dial(ctx, d.url+"/echo", nil)
	if err != nil {
		return err
	}
	return hello(ctx, s)
}

func closeClient(ctx context.Context, d *dialer) error {
	cc, err := d.connect(ctx)
	if err != nil {
		return err
	}
	_, s, err := cc.Dial(ctx, d.url+"/echo?case=close-client", nil)
	if err != nil {
		return err
	}
	if err := s.CloseWithError(4294967295, "bye ✓"); err != nil {
		return err
	}
	return settled(ctx, cc, d)
}

func closeServer(ctx context.Context, d *dialer) error {
	s, _, err := d.dial(ctx, "/close?code=3735928559&reason=so%20long%20%E2%9C%93")
	if err != nil {
		return err
	}
	_, err = s.AcceptUniStream(ctx)
	var end *webtransport.SessionError
	if !errors.As(err, &end) || !end.Remote || end.ErrorCode != 3735928559 || end.Message != "so long ✓" {
		return fmt.Errorf("the session ended with %#v", err)
	}
	return nil
}

// await takes that many results, the first error at once.
func await(ctx context.Context, results <-chan error, count int) error {
	for done := range count {
		select {
		case err := <-results:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return fmt.Errorf("%d of %d things are done", done, count)
		}
	}
	return nil
}

func flowControl(ctx context.Context, d *dialer) error {
	s, _, err := d.dial(ctx, "/digest")
	if err != nil {
		return err
	}
	want := []byte(digest(pattern(flowBytes)))
	results := make(chan error, 3*flowStreams)
	for range flowStreams {
		go func() {
			answer, err := roundTrip(ctx, s, pattern(flowBytes))
			if err == nil {
				err = same("digest", answer, want)
			}
			results <- err
		}()
		go func() { results <- sendUni(ctx, s, pattern(flowBytes)) }()
		go func() {
			answer, err := receiveUni(ctx, s)
			if err == nil {
				err = same("digest", answer, want)
			}
			results <- err
		}()
	}
	if err := await(ctx, results, 3*flowStreams); err != nil {
		return fmt.Errorf("up: %w", err)
	}
	if s, _, err = d.dial(ctx, fmt.Sprintf("/source?kind=uni&bytes=%d&streams=%d", flowBytes, flowStreams)); err != nil {
		return err
	}
	// All of them are read at the same time: bytes that nobody reads use up the session's window.
	for range flowStreams {
		go func() {
			got, err := receiveUni(ctx, s)
			if err == nil {
				err = same("source", got, pattern(flowBytes))
			}
			results <- err
		}()
	}
	if err := await(ctx, results, flowStreams); err != nil {
		return fmt.Errorf("down: %w", err)
	}
	return nil
}

func pooling(ctx context.Context, d *dialer) error {
	cc, err := d.connect(ctx)
	if err != nil {
		return err
	}
	var sessions [3]*webtransport.Session
	for i := range sessions {
		if _, sessions[i], err = cc.Dial(ctx, fmt.Sprintf("%s/echo?n=%d", d.url, i+1), nil); err != nil {
			return fmt.Errorf("session %d: %w", i+1, err)
		}
	}
	for i, s := range sessions {
		if err := hello(ctx, s); err != nil {
			return fmt.Errorf("session %d: %w", i+1, err)
		}
	}
	if err := sessions[1].CloseWithError(7, "middle"); err != nil {
		return err
	}
	for _, i := range []int{0, 2} {
		if err := hello(ctx, sessions[i]); err != nil {
			return fmt.Errorf("session %d, after the second was closed: %w", i+1, err)
		}
	}
	return nil
}

func runCase(name, base, hash string) error {
	cases := map[string]func(context.Context, *dialer) error{
		"handshake": handshake, "rejection": rejection, "subprotocol": subprotocol, "bidi": bidi, "uni": uni,
		"datagrams": datagramCase, "resets-out": resetsOut, "resets-in": resetsIn, "close-client": closeClient,
		"close-server": closeServer, "flow-control": flowControl, "pooling": pooling,
	}
	run, known := cases[name]
	if !known {
		return fmt.Errorf("no case is called %q", name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	d := &dialer{url: base, hash: hash, tiny: name == "flow-control"}
	defer d.close()
	return run(ctx, d)
}
