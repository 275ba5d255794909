# SPDX-License-Identifier: GPL-2.0-or-later
# The figures of one run as tables for a terminal: `jq -rs -f report.jq figures.jsonl`. Peers and floors are
# those of contestants.json (--slurpfile contestants).
def ms: . / 1000 * 100 | round / 100 | tostring | if test("\\.") then (split(".") | .[0] + "." + (.[1] + "00")[0:2]) else . + ".00" end;
def one: . * 10 | round / 10 | tostring | if test("\\.") then . else . + ".0" end;
def two: . * 100 | round / 100 | tostring | if test("\\.") then (split(".") | .[0] + "." + (.[1] + "00")[0:2]) else . + ".00" end;
def pad($n): tostring | . + (" " * ([$n - length, 1] | max));
def lpad($n): tostring | (" " * ([$n - length, 1] | max)) + .;
def row($widths): . as $c | [range(0; length) as $i | $c[$i] | if $i == 0 then pad($widths[$i]) else lpad($widths[$i]) end] | join("");
def times: if . == null then "" else (if . >= 10 then (. | round | tostring) else one end) + " x" end;

. as $all
| def p($suite; $of; $what; $at): first($all[] | select(.suite == $suite and .of == $of and .what == $what and .at == $at)) // null;
def p50($suite; $of; $what): p($suite; $of; $what; 0) | if . then .p50 else null end;
def has_suite($s): any($all[]; .suite == $s);
p50("latency"; "empty C process"; "run") as $empty
| [$contestants[0][] | select(.ours)] as $ours

| (if has_suite("latency") then
	"One at a time, milliseconds (median, p99); floor: an empty C process and the kernel's requests alone",
	(["", "ADD", "p99", "floor", "ADD/floor", "DEL", "p99", "peer ADD", "peer DEL", "ADD", "DEL"] | row([22, 8, 8, 8, 11, 8, 8, 11, 10, 8, 8])),
	($ours[] | . as $c
		| p("latency"; $c.name; "ADD"; 0) as $add | p("latency"; $c.name; "DEL"; 0) as $del | select($add)
		| p50("floor"; $c.floor // ""; "ADD") as $floor
		| p50("latency"; $c.peer // ""; "ADD") as $padd | p50("latency"; $c.peer // ""; "DEL") as $pdel
		| [$c.name, ($add.p50 | ms), ($add.p99 | ms),
			(if $floor then ($floor + $empty | ms) else "" end), (if $floor then ($add.p50 / ($floor + $empty) | two) else "" end),
			($del.p50 | ms), ($del.p99 | ms), (if $padd then ($padd | ms) else "" end), (if $pdel then ($pdel | ms) else "" end),
			(if $padd then ($padd / $add.p50 | times) else "" end), (if $pdel then ($pdel / $del.p50 | times) else "" end)]
		| row([22, 8, 8, 8, 11, 8, 8, 11, 10, 8, 8])),
	"VERSION / an empty C process: \(p50("latency"; "awsvpc"; "VERSION") / $empty | two)",
	"a synchronous RTM_DELLINK alone / DEL: \(p50("floor"; "routed veth"; "DEL") / p50("latency"; "awsvpc veth"; "DEL") | one)",
	"" else empty end),

(if has_suite("start") then
	"What each binary costs before it does anything (VERSION), milliseconds",
	($all[] | select(.suite == "start") | [.of, (.p50 | ms)] | row([22, 8])),
	"" else empty end),

(if has_suite("memory") then
	"Peak resident memory, kB",
	(["", "ADD", "CHECK", "DEL", "first ADD", "peer ADD"] | row([22, 8, 8, 8, 11, 11])),
	($ours[] | . as $c | select(p("memory"; $c.name; "ADD"; 0))
		| [$c.name, (["ADD", "CHECK", "DEL", "first ADD"][] as $v | p("memory"; $c.name; $v; 0).value | tostring),
			(p("memory"; $c.peer // ""; "ADD"; 0) | if . then .value | tostring else "" end)]
		| row([22, 8, 8, 8, 11, 11])),
	"" else empty end),

(if has_suite("parallel") then
	"At once: ADD and DEL a second",
	(["callers", "1", "2", "4", "8", "16", "32"] | row([34, 8, 8, 8, 8, 8, 8])),
	([$all[] | select(.suite == "parallel") | .of] | unique[]) as $of
	| (["ADD", "DEL"][]) as $verb
	| ([$of + " " + $verb] + [1, 2, 4, 8, 16, 32 | . as $n | (p("parallel"; $of; $verb; $n) | if . then .value | round | tostring else "" end)])
	| row([34, 8, 8, 8, 8, 8, 8]) else empty end),

(if has_suite("scale") then
	"", "With tasks there already, milliseconds (median)",
	(["tasks", "1", "250", "1000", "4000"] | row([34, 8, 8, 8, 8])),
	([$all[] | select(.suite == "scale") | .of] | unique[]) as $of
	| (["ADD", "DEL"][]) as $verb
	| ([$of + " " + $verb] + [1, 250, 1000, 4000 | . as $n | (p("scale"; $of; $verb; $n) | if . then .p50 | ms else "" end)])
	| row([34, 8, 8, 8, 8]) else empty end),

(if has_suite("gc") then "", "GC, milliseconds", ($all[] | select(.suite == "gc") | [.what, (.p50 | ms)] | row([34, 8])) else empty end),
(if has_suite("packets") then "", "The packet right after ADD",
	($all[] | select(.suite == "packets") | ["\(.of), \(.what) (of \(.at))", (.value | tostring)] | row([44, 4])) else empty end),

(if has_suite("data") then
	first($all[] | select(.suite == "data" and .of == "loopback" and .what == "tcp")).value as $tcp
	| first($all[] | select(.suite == "data" and .of == "loopback" and .what == "udp")).value as $udp
	| first($all[] | select(.suite == "data" and .of == "loopback" and .what == "flood")).value as $flood
	| "", "From task to task, times the bare loopback (round trip of 64 bytes; throughput of one connection)",
	(["", "TCP", "UDP", "throughput"] | row([34, 8, 8, 12])),
	([$all[] | select(.suite == "data" and .what == "flood") | .of][] as $of
		| [$of, (p("data"; $of; "tcp"; 0).value / $tcp | two), (p("data"; $of; "udp"; 0).value / $udp | two), (p("data"; $of; "flood"; 0).value / $flood | two)]
		| row([34, 8, 8, 12])),
	"", "From outside to a published port, microseconds (round trip; new connection) with 10 and 10 000 ports",
	(["", "trip", "trip 10k", "new", "new 10k"] | row([44, 10, 10, 10, 10])),
	([$all[] | select(.suite == "data" and .what == "connect" and .at == 10) | .of][] as $of
		| [$of, (["tcp", "connect"][] as $w | (10, 10000) as $n | (p("data"; $of; $w; $n) | if . then .value | one else "" end))]
		| row([44, 10, 10, 10, 10])) else empty end),

(if has_suite("store") then "", "The store, microseconds inside the process (median)",
	($all[] | select(.suite == "store") | ["\(.what), \(.at) leases", (.p50 | one)] | row([34, 8])) else empty end)
