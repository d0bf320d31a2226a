#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes dashboard.json, the dashboard for Grafana: dashboard.py --write. With --check it says whether the file is up to date.

Each line of ROWS is a panel: title, unit, what it means, and its curves, each an expression of PromQL and what it is called.
In an expression, "[rate]" becomes the range that Grafana chooses and "{}" the instances that the reader chose. Names of
metrics have no "webtransport_" in front. The test of the dashboard looks up each name in what real servers give.
"""

import json
import re
import sys
from pathlib import Path

FILE = Path(__file__).with_name("dashboard.json")
SELECTED = 'job=~"$job",instance=~"$instance"'
NAME = re.compile(r"\b([a-z][a-z0-9_]*)\{")


def rates(*pairs):
    """Curves of counters per second: (name, what it is called)."""
    return [(f"sum(rate({name}_total{{}}[rate]))", called) for name, called in pairs]


def by(label, name):
    return [(f"sum by ({label}) (rate({name}_total{{}}[rate]))", "{{" + label + "}}")]


def quantiles(name):
    return [(f"histogram_quantile({q}, sum by (le) (rate({name}_bucket{{}}[rate])))", f"{percent} %")
            for q, percent in ((0.5, 50), (0.9, 90), (0.99, 99))]


def mean(name):
    return [(f"sum(rate({name}_sum{{}}[rate])) / sum(rate({name}_count{{}}[rate]))", "mean")]


def gauges(*pairs):
    return [(f"sum({name}{{}})", called) for name, called in pairs]


def per_route(name):
    return [(f"sum by (route) ({name}{{}})", "{{route}}")]


# Stats of the first row have thresholds: (from here on, colour).
STATS = [
    ("Sessions", "short", "WebTransport sessions that are open.", gauges(("sessions_open", "open")), None),
    ("Connections, of the limit", "percentunit",
     "Open connections as a share of `max_connections`, of the instance that is nearest to it. At the limit a new handshake "
     "takes the place of the oldest unfinished one, or is refused.",
     [("max(connections_open{} / connections_limit{})", "share")], [(0.7, "orange"), (0.9, "red")]),
    ("Memory, of the limit", "percentunit",
     "Memory of connections as a share of `max_memory`, of the instance that is nearest to it. From a half on windows shrink; from "
     "three quarters on, new connections, requests and sessions are refused.",
     [("max(memory_used_bytes{} / (memory_limit_bytes{} > 0))", "share")], [(0.5, "orange"), (0.75, "red")]),
    ("Handshake, 99 %", "s", "99 of 100 handshakes that succeeded were done in this time.",
     quantiles("handshake_duration_seconds")[2:], [(0.5, "orange"), (2, "red")]),
    ("Certificate ends in", "s", "The certificate that expires first, of all instances.",
     [("min(certificate_expires_at_seconds{}) - time()", "left")], [(None, "red"), (86400, "orange"), (259200, "green")]),
    ("Draining", "short", "Instances that have been told to end, and wait for their sessions.",
     gauges(("draining", "draining")), [(1, "orange")]),
]

ROWS = [
    ("Sessions", [
        ("Open", "short", "Sessions and connections that are open.",
         gauges(("sessions_open", "sessions"), ("connections_open", "connections"))),
        ("New", "cps", "Sessions accepted, connections begun, and requests of HTTP/3, in a second.",
         rates(("sessions", "sessions"), ("connections", "connections"), ("requests", "requests"))),
        ("Ends by cause", "cps",
         "Why sessions ended. `timeout` and `network` rise when a network loses clients; `error` is a fault of a peer or ours.",
         by("cause", "sessions_ended")),
        ("New by browser", "cps",
         "Sessions accepted, by the family of browsers that the client seems to be of: `none` is a program, `other` a page of a browser "
         "that was not recognized.", by("browser", "sessions_accepted")),
        ("New by draft", "cps", "Sessions accepted, by the draft of WebTransport that they speak.",
         by("draft", "sessions_accepted")),
        ("Time to the answer", "s",
         "From the request for a session to the answer, also if it was refused. The handler's own work is in it.",
         quantiles("session_accept_duration_seconds")),
        ("Life", "s", "How long sessions lived that ended.",
         quantiles("session_duration_seconds") + mean("session_duration_seconds")),
    ]),
    ("Handshakes and networks", [
        ("Handshakes", "cps",
         "Those that began, those that succeeded, and those that gave way to others or were dropped. What begins and neither "
         "succeeds nor gives way is a client that left, or does not trust the certificate.",
         rates(("connections", "began"), ("handshakes_evicted", "gave way"), ("handshakes_dropped", "dropped"))
         + [("sum(rate(handshake_duration_seconds_count{}[rate]))", "succeeded")]),
        ("Duration of handshakes", "s", "From a client's first packet to the end of its handshake, of those that succeed.",
         quantiles("handshake_duration_seconds") + mean("handshake_duration_seconds")),
        ("Unfinished handshakes", "short", "Handshakes that are not finished now.", gauges(("handshakes_open", "unfinished"))),
        ("Round trip", "s", "The smoothed round-trip time of connections, taken at their end.",
         quantiles("connection_round_trip_seconds") + mean("connection_round_trip_seconds")),
    ]),
    ("Requests", [
        ("Answers by class", "reqps", "Answers to requests by the class of their status. An accepted session is one, too.",
         by("class", "responses")),
        ("Requests by route", "reqps", "Requests that came to a route, also for sessions.", by("route", "route_requests")),
        ("Sessions by route", "cps", "Sessions that a route accepted.", by("route", "route_sessions")),
    ]),
    ("Traffic", [
        ("Bytes", "Bps", "Payload of UDP.", rates(("received_bytes", "in"), ("sent_bytes", "out"))),
        ("Packets", "pps",
         "Datagrams of UDP. Those with nothing but an acknowledgement, and those that ask for one, are part of what goes out.",
         rates(("packets_received", "in"), ("packets_sent", "out"), ("packets_sent_ack", "out: acknowledgements alone"),
               ("packets_sent_probe", "out: probes"))),
        ("Datagrams", "pps", "Datagrams of sessions: sent, and dropped because too many waited or they waited too long.",
         rates(("datagrams_sent", "sent"), ("datagrams_dropped", "dropped"), ("datagrams_expired", "too old"))),
        ("Longest wait of a datagram", "s", "The longest that a datagram waited to be sent since the start, by instance.",
         [("max by (instance) (longest_datagram_delay_seconds{})", "{{instance}}")]),
    ]),
    ("Limits", [
        ("Memory", "bytes", "Memory that connections hold, and the limit.",
         gauges(("memory_used_bytes", "used"), ("memory_limit_bytes", "limit"))),
        ("Refused by limits", "cps", "What was refused or closed because a limit was reached. All zero is the normal state.",
         rates(("connections_refused", "connections: too many"), ("memory_refused_connections", "connections: memory"),
               ("memory_refused_requests", "requests: memory"), ("memory_refused_packets", "packets: memory"),
               ("memory_closed_connections", "connections closed: memory"), ("streams_given_up", "streams that did not move"))),
    ]),
    ("Loops of the workers", [
        ("Turns", "cps", "Turns of the loops. Idle ones brought no packet; timers begin some.",
         rates(("turns", "all"), ("turns_idle", "idle"), ("timers_fired", "begun by a timer"), ("timers_set", "timers set"))),
        ("Long turns", "cps", "Turns of more than 10 ms. A callback of the application that blocks is the usual cause.",
         [("sum by (instance) (rate(long_turns_total{}[rate]))", "{{instance}}")]),
        ("Longest since the start", "s",
         "The longest turn of a loop, the one that goes on now, and the longest time that one connection took in a turn.",
         [("max by (instance) (longest_turn_seconds{})", "turn, {{instance}}"),
          ("max by (instance) (current_turn_seconds{})", "turn now, {{instance}}"),
          ("max by (instance) (longest_visit_seconds{})", "connection, {{instance}}")]),
        ("Packets that waited or were lost", "pps",
         "Packets put off because their connection took long, dropped because too many were put off, passed to another worker, and "
         "dropped on that way.",
         rates(("packets_put_off", "put off"), ("packets_cut_off", "dropped: put off"),
               ("packets_handed_over", "handed over"), ("packets_dropped", "dropped: handed over"))),
    ]),
    ("Topics (webtransport serve)", [
        ("Topics and subscriptions", "short", "Topics that have a subscriber, and subscriptions to them.",
         gauges(("topics", "topics"), ("topic_subscribers", "subscriptions"))),
        ("Messages", "cps", "Messages published here, and messages to subscribers that were handed to QUIC.",
         rates(("topic_published", "published"), ("topic_delivered", "delivered"))),
        ("Messages lost", "cps", "Why messages were not delivered or not published.",
         rates(("topic_dropped", "slow subscriber"), ("topic_too_large", "too large for a datagram"),
               ("topic_refused", "of another server"), ("topic_over_rate", "sent too fast"),
               ("topic_not_published", "too large, or memory"))),
        ("Backplane", "short", "1 while the broker is connected; and the topics subscribed there.",
         [("min by (instance) (backplane_up{})", "up, {{instance}}"),
          ("sum by (instance) (backplane_subscriptions{})", "subscriptions, {{instance}}")]),
        ("Backplane: messages", "cps", "Messages to and from other servers.",
         rates(("backplane_published", "ours"), ("backplane_sent", "to the broker"), ("backplane_received", "of others"),
               ("backplane_repeated", "came twice"))),
        ("Backplane: trouble", "cps", "Messages that others did not get, that did not arrive, or were no messages of servers; and "
         "connections to the broker.",
         rates(("backplane_dropped", "dropped"), ("backplane_missed", "missed"), ("backplane_invalid", "invalid"),
               ("backplane_connects", "connected"))),
        ("Backplane: waiting", "bytes", "Bytes of messages that wait for the broker.",
         gauges(("backplane_queued_bytes", "waiting"))),
    ]),
    ("Gateway", [
        ("Sessions by route", "short", "Sessions that are open.", per_route("gateway_sessions_open")),
        ("New sessions and refusals", "cps", "Sessions, and requests for one that were refused.",
         rates(("gateway_sessions", "sessions"), ("gateway_sessions_refused", "refused"),
               ("gateway_requests_refused", "answered with an error"))),
        ("Streams by route", "short", "Streams that have a connection to the back end, or try to get one.",
         per_route("gateway_streams_open")),
        ("New streams", "cps", "Streams, and those refused because of a limit or their kind.",
         rates(("gateway_streams", "streams"), ("gateway_streams_refused", "refused"))),
        ("Streams that failed", "cps", "Streams that ended early, by the gateway's code.", by("code", "gateway_streams_failed")),
        ("Bytes", "Bps", "Bytes of streams, datagrams and bodies.",
         rates(("gateway_bytes_in", "to back ends"), ("gateway_bytes_out", "to clients"))),
        ("Datagrams", "pps", "Datagrams, and why some were dropped.",
         rates(("gateway_datagrams_in", "to back ends"), ("gateway_datagrams_out", "to clients"),
               ("gateway_datagrams_dropped", "dropped: no room, or over the rate"),
               ("gateway_datagrams_too_large", "dropped: too large"), ("gateway_datagrams_refused", "nobody takes them"))),
        ("Round trip to back ends", "s", "Of the session that ended last, by route; 0: unknown.",
         [("max by (route) (gateway_backend_round_trip_seconds{})", "{{route}}")]),
        ("Requests on their way", "short", "Requests that are no sessions, and requests that wait for the authorization server.",
         gauges(("gateway_requests_open", "requests"), ("gateway_auth_open", "wait for authorization"))),
        ("Requests", "reqps", "Requests that are no sessions, those that the back end did not answer as a whole, and what "
         "authorization refused.",
         rates(("gateway_requests", "requests"), ("gateway_requests_failed", "failed"),
               ("gateway_auth_refused", "not authorized"), ("gateway_auth_failed", "authorization did not answer"))),
    ]),
    ("Takeover", [
        ("Packets between processes", "pps", "Packets passed between an old and a new process of one server, and those lost.",
         rates(("takeover_packets_out", "to the older one"), ("takeover_packets_in", "from a newer one"),
               ("takeover_packets_dropped", "lost"))),
    ]),
    ("Access log", [
        ("Lost lines", "cps", "Lines of the access log that a full disk or a slow reader did not take.",
         rates(("log_lines_dropped", "lost"))),
    ]),
]


def expression(text):
    text = NAME.sub(r"webtransport_\1{", text)
    return text.replace("{}", "{" + SELECTED + "}").replace("[rate]", "[$__rate_interval]")


DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


def targets(curves):
    return [{"datasource": DATASOURCE, "editorMode": "code", "expr": expression(text), "legendFormat": called, "range": True,
             "refId": chr(ord("A") + i)} for i, (text, called) in enumerate(curves)]


def thresholds(steps):
    steps = steps or []
    if not steps or steps[0][0] is not None:
        steps = [(None, "green"), *steps]
    return {"mode": "absolute", "steps": [{"color": color, "value": value} for value, color in steps]}


class Layout:
    """Panels get ids and places: 24 columns, from the top."""

    def __init__(self):
        self.panels, self.x, self.y, self.height = [], 0, 0, 0

    def place(self, width, height):
        if self.x + width > 24:
            self.line()
        at = {"h": height, "w": width, "x": self.x, "y": self.y}
        self.x, self.height = self.x + width, height
        return at

    def line(self):
        self.x, self.y = 0, self.y + self.height
        self.height = 0

    def add(self, panel, width, height):
        self.panels.append({"id": len(self.panels) + 1, "gridPos": self.place(width, height), **panel})

    def row(self, title):
        self.line()
        self.add({"type": "row", "title": title, "collapsed": False, "panels": []}, 24, 1)


def stat(title, unit, description, curves, steps):
    return {"type": "stat", "title": title, "description": description, "datasource": DATASOURCE, "targets": targets(curves),
            "fieldConfig": {"defaults": {"unit": unit, "thresholds": thresholds(steps), "color": {"mode": "thresholds"}},
                            "overrides": []},
            "options": {"colorMode": "value", "graphMode": "area", "justifyMode": "auto", "orientation": "auto",
                        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "textMode": "auto"}}


def timeseries(title, unit, description, curves):
    custom = {"drawStyle": "line", "fillOpacity": 10, "lineWidth": 1, "showPoints": "never", "spanNulls": False}
    return {"type": "timeseries", "title": title, "description": description, "datasource": DATASOURCE,
            "targets": targets(curves),
            "fieldConfig": {"defaults": {"unit": unit, "min": 0, "color": {"mode": "palette-classic"}, "custom": custom},
                            "overrides": []},
            "options": {"legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom",
                                   "showLegend": True},
                        "tooltip": {"mode": "multi", "sort": "desc"}}}


def variable(name, label, query):
    return {"type": "query", "name": name, "label": label, "datasource": DATASOURCE,
            "query": {"query": query, "refId": f"{name}-variable"}, "refresh": 2, "sort": 1, "multi": True,
            "includeAll": True, "allValue": ".*", "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
            "hide": 0, "regex": "", "options": []}


def variables():
    source = {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "refresh": 1,
              "hide": 0, "regex": "", "multi": False, "includeAll": False, "options": [], "current": {}}
    return [source, variable("job", "Job", "label_values(webtransport_connections_total, job)"),
            variable("instance", "Instance", 'label_values(webtransport_connections_total{job=~"$job"}, instance)')]


def dashboard():
    layout = Layout()
    for panel in STATS:
        layout.add(stat(*panel), 4, 4)
    for title, panels in ROWS:
        layout.row(title)
        width = {1: 24, 2: 12, 4: 12}.get(len(panels), 8)
        for panel in panels:
            layout.add(timeseries(*panel), width, 8)
    return {"uid": "libwebtransport", "title": "WebTransport servers",
            "description": "Servers of libwebtransport: webtransport serve, webtransport gateway, and programs on the library.",
            "tags": ["webtransport", "http3", "quic"], "schemaVersion": 39, "version": 1, "editable": True, "graphTooltip": 1,
            "refresh": "30s", "time": {"from": "now-1h", "to": "now"}, "timezone": "browser", "timepicker": {}, "links": [],
            "annotations": {"list": []}, "templating": {"list": variables()}, "panels": layout.panels}


def main():
    text = json.dumps(dashboard(), indent=1) + "\n"
    if sys.argv[1:] == ["--write"]:
        FILE.write_text(text, encoding="utf-8")
    elif sys.argv[1:] == ["--check"]:
        if FILE.read_text(encoding="utf-8") != text:
            sys.exit(f"{FILE.name} is not what dashboard.py writes: run dashboard.py --write")
    else:
        sys.exit("usage: dashboard.py --write|--check")


if __name__ == "__main__":
    main()
