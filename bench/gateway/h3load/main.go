// SPDX-License-Identifier: MIT

// The load for a gateway of HTTP/3 (Envoy): each connection to the back end is a CONNECT request on a connection of QUIC.
// The options, workloads and results are those of ../tcpload.c.
//
//	h3load --port N [--workload echo|source|sink|setup] [--connections N] [--streams N] [--size N]
//	       [--rate N] [--bytes N] [--warmup MS] [--duration MS]
//
// Without --rate, a message is under way on each stream.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

const host = "backend.test:1"

var (
	port        = flag.Int("port", 0, "of the gateway, on 127.0.0.1")
	workload    = flag.String("workload", "echo", "echo, source, sink or setup")
	connections = flag.Int("connections", 1, "of QUIC; of setup, how many are made at a time")
	streams     = flag.Int("streams", 1, "connections to the back end, of each connection of QUIC")
	size        = flag.Int("size", 100, "bytes of a message")
	rate        = flag.Int("rate", 0, "messages a second of all together; 0: as many as are answered")
	amount      = flag.Int64("bytes", 1000000, "of source and sink")
	warmup      = flag.Int("warmup", 0, "milliseconds")
	duration    = flag.Int("duration", 1000, "milliseconds")
)

// What was measured. Latencies are of the messages that began within the measured time.
type result struct {
	lock        sync.Mutex
	from, until time.Time
	latencies   []time.Duration
}

func (r *result) add(start, now time.Time) {
	if start.Before(r.from) || !start.Before(r.until) {
		return
	}
	r.lock.Lock()
	r.latencies = append(r.latencies, now.Sub(start))
	r.lock.Unlock()
}

func (r *result) begin() {
	r.from = time.Now().Add(time.Duration(*warmup) * time.Millisecond)
	r.until = r.from.Add(time.Duration(*duration) * time.Millisecond)
}

func (r *result) percentile(percent int) float64 {
	return float64(r.latencies[(len(r.latencies)-1)*percent/100].Nanoseconds()) / 1e3
}

func (r *result) print(seconds float64, operations int) {
	fmt.Printf("{\"operations\": %d, \"seconds\": %.6f", operations, seconds)
	if slices.Sort(r.latencies); len(r.latencies) > 0 {
		fmt.Printf(", \"latency_us\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}",
			r.percentile(50), r.percentile(99), r.percentile(100))
	}
	fmt.Println("}")
}

func measuring() { fmt.Println("measuring") }

// --- Connections. ---

func dial() *http3.ClientConn {
	// The bench's certificate is made for a run; any is good. Windows for a fast transfer from the start.
	trust := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}, ServerName: "localhost"}
	conn, err := quic.DialAddr(context.Background(), fmt.Sprintf("127.0.0.1:%d", *port), trust,
		&quic.Config{InitialStreamReceiveWindow: 4 << 20, InitialConnectionReceiveWindow: 8 << 20})
	if err != nil {
		log.Fatal(err)
	}
	return (&http3.Transport{}).NewClientConn(conn)
}

func tunnel(conn *http3.ClientConn) *http3.RequestStream {
	stream, err := conn.OpenRequestStream(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	request := &http.Request{Method: http.MethodConnect, Host: host, URL: &url.URL{Host: host}, Header: http.Header{}}
	if err := stream.SendRequestHeader(request); err != nil {
		log.Fatal(err)
	}
	answer, err := stream.ReadResponse()
	if err != nil || answer.StatusCode != http.StatusOK {
		log.Fatal("the gateway refused a connection: ", answer, err)
	}
	return stream
}

// --- Workloads. ---

func message() []byte {
	data := make([]byte, *size)
	for i := range data {
		data[i] = byte(i*31 + i>>8)
	}
	return data
}

// reader takes the answers off a stream; a message's start comes through the channel.
func reader(stream io.Reader, began <-chan time.Time, again func(now time.Time), found *result) {
	expected, got := message(), make([]byte, *size)
	for start := range began {
		if _, err := io.ReadFull(stream, got); err != nil {
			log.Fatal("an answer did not come: ", err)
		}
		if !bytes.Equal(got, expected) {
			log.Fatal("an answer is not what was sent")
		}
		now := time.Now()
		found.add(start, now)
		again(now)
	}
}

type place struct {
	stream io.ReadWriter
	began  chan time.Time
}

func (p *place) send(data []byte, start time.Time) {
	p.began <- start
	if _, err := p.stream.Write(data); err != nil {
		log.Fatal(err)
	}
}

// paced begins messages at fixed times, on one place after the other.
func paced(places []*place, found *result) {
	data, start := message(), time.Now()
	for turn := 0; ; turn++ {
		due := start.Add(time.Duration(float64(turn) / float64(*rate) * 1e9))
		if !due.Before(found.until) {
			return
		}
		time.Sleep(time.Until(due))
		places[turn%len(places)].send(data, due)
	}
}

func echo(found *result) {
	var places []*place
	for range *connections {
		conn := dial()
		for range *streams {
			places = append(places, &place{tunnel(conn), make(chan time.Time, 1024)})
		}
	}
	found.begin()
	var done sync.WaitGroup
	for _, p := range places {
		done.Add(1)
		again := func(now time.Time) {
			if *rate == 0 && now.Before(found.until) {
				p.send(message(), now)
			} else if *rate == 0 {
				close(p.began)
			}
		}
		go func() {
			defer done.Done()
			reader(p.stream, p.began, again, found)
		}()
		if *rate == 0 {
			p.send(message(), time.Now())
		}
	}
	time.AfterFunc(time.Until(found.from), measuring)
	if *rate > 0 {
		paced(places, found)
		for _, p := range places {
			close(p.began)
		}
	}
	done.Wait()
}

func source() {
	stream := tunnel(dial())
	measuring()
	if got, err := io.CopyBuffer(io.Discard, stream, make([]byte, 1<<18)); got != *amount {
		log.Fatal("the bytes that came are not as many as the back end sent: ", got, err)
	}
}

func sink() {
	stream, data := tunnel(dial()), make([]byte, 1<<16)
	measuring()
	for left := *amount; left > 0; left -= int64(min(len(data), int(left))) {
		if _, err := stream.Write(data[:min(len(data), int(left))]); err != nil {
			log.Fatal(err)
		}
	}
	stream.Close()
	answer, err := io.ReadAll(stream)
	if string(answer) != fmt.Sprintf("{\"bytes\":%d}", *amount) {
		log.Fatal("the back end did not count as many bytes as were sent: ", string(answer), err)
	}
}

func setup(found *result) {
	found.begin()
	time.AfterFunc(time.Until(found.from), measuring)
	var done sync.WaitGroup
	for range *connections {
		done.Add(1)
		go func() {
			defer done.Done()
			data, got := message(), make([]byte, *size)
			for start := time.Now(); start.Before(found.until); start = time.Now() {
				conn := dial()
				stream := tunnel(conn)
				stream.Write(data)
				if _, err := io.ReadFull(stream, got); err != nil {
					log.Fatal(err)
				}
				found.add(start, time.Now())
				conn.CloseWithError(0, "")
			}
		}()
	}
	done.Wait()
}

func main() {
	flag.Parse()
	var found result
	began := time.Now()
	switch *workload {
	case "echo":
		echo(&found)
	case "setup":
		setup(&found)
	case "source":
		source()
	case "sink":
		sink()
	default:
		log.Fatal("no workload is called ", *workload)
	}
	if *workload == "source" || *workload == "sink" {
		found.print(time.Since(began).Seconds(), 1)
	} else {
		found.print(float64(*duration)/1e3, len(found.latencies))
	}
}
