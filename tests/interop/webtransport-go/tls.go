// SPDX-License-Identifier: MIT

package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"
)

// tlsOptions are what tests/interop/test_tls.sh asks for.
type tlsOptions struct {
	ca, cert, key, url, group, keyLog string
	require                           bool
	times                             int
}

func authorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("no authority in " + file)
	}
	return pool, nil
}

func groups(name string) []tls.CurveID {
	switch name {
	case "secp384r1":
		return []tls.CurveID{tls.CurveP384}
	case "secp521r1":
		return []tls.CurveID{tls.CurveP521}
	}
	return []tls.CurveID{tls.X25519, tls.CurveP256}
}

// tlsClient gets the URL, each time on a connection of its own, and prints a line about it.
func tlsClient(o tlsOptions) error {
	pool, err := authorities(o.ca)
	if err != nil {
		return err
	}
	config := &tls.Config{RootCAs: pool, CurvePreferences: groups(o.group), ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	if o.cert != "" {
		pair, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			return err
		}
		// Whatever authorities the server names.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	if o.keyLog != "" {
		file, err := os.Create(o.keyLog)
		if err != nil {
			return err
		}
		defer file.Close()
		config.KeyLogWriter = file
	}
	for range o.times {
		if err := tlsGet(o.url, config); err != nil {
			return err
		}
	}
	return nil
}

func tlsGet(url string, config *tls.Config) error {
	transport := &http3.Transport{TLSClientConfig: config}
	defer transport.Close()
	response, err := (&http.Client{Transport: transport, Timeout: 20 * time.Second}).Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	state := response.TLS
	fmt.Printf("status=%d suite=%s group=%s ocsp=%t resumed=%t subject=%s\n", response.StatusCode,
		tls.CipherSuiteName(state.CipherSuite), state.CurveID, len(state.OCSPResponse) > 0, state.DidResume,
		state.PeerCertificates[0].Subject.CommonName)
	return nil
}

// tlsServer answers with the name of the client's certificate, and prints its port.
func tlsServer(o tlsOptions) error {
	pair, err := tls.LoadX509KeyPair(o.cert, o.key)
	if err != nil {
		return err
	}
	pool, err := authorities(o.ca)
	if err != nil {
		return err
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven,
		CurvePreferences: groups(o.group)}
	if o.require {
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, port, _ := strings.Cut(conn.LocalAddr().String(), ":")
	fmt.Println(port)
	server := &webtransport.Server{
		H3:     &http3.Server{TLSConfig: http3.ConfigureTLSConfig(config), QUICConfig: quicConfig()},
		Config: limits(false),
	}
	server.H3.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { tlsAnswer(server, w, r) })
	webtransport.ConfigureHTTP3Server(server.H3)
	return server.Serve(conn)
}

// tlsAnswer says who asks, and makes a session of it.
func tlsAnswer(server *webtransport.Server, w http.ResponseWriter, r *http.Request) {
	name := "nobody"
	if len(r.TLS.PeerCertificates) > 0 {
		name = r.TLS.PeerCertificates[0].Subject.CommonName
	}
	fmt.Printf("client=%s suite=%s group=%s resumed=%t\n", name, tls.CipherSuiteName(r.TLS.CipherSuite), r.TLS.CurveID,
		r.TLS.DidResume)
	if s, err := server.Upgrade(w, r); err == nil {
		s.CloseWithError(0, name)
	}
}
