# SPDX-License-Identifier: GPL-2.0-or-later
# One chart as SVG: `jq -rs --arg chart NAME --slurpfile contestants contestants.json -f charts.jq figures.jsonl`.
# Charts: latency, scale, parallel, data. Bars on a logarithmic axis where a peer is ten times as long.
def ours: "#1a7f5a"; def theirs: "#b0b7bf"; def ink: "#24292f"; def faint: "#d8dee4";
def esc: gsub("&"; "&amp;") | gsub("<"; "&lt;");
def round2: . * 100 | round / 100;
def text($x; $y; $size; $anchor; $s): "<text x=\"\($x)\" y=\"\($y)\" font-size=\"\($size)\" text-anchor=\"\($anchor)\" fill=\"\(ink)\">\($s | tostring | esc)</text>";
def frame($w; $h; $title; $sub): "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \($w) \($h)\" width=\"\($w)\" height=\"\($h)\" font-family=\"system-ui, sans-serif\" role=\"img\">",
	"<title>\($title | esc)</title><rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
	text(16; 28; 17; "start"; $title), text(16; 46; 12; "start"; $sub);
def log10: log / (10 | log);

# bars: [{label, value, ours}] with a logarithmic axis from $least.
def bars($title; $sub; $unit; $least; $list):
	([$list[].value] | max) as $most
	| (860 - 250 - 90) as $room
	| (64 + 24 * ($list | length) + 16) as $h
	| def width($v): ([($v / $least | log10), 0.02] | max) / ($most / $least | log10) * $room;
	frame(860; $h; $title; $sub),
	($list | to_entries[] | (64 + 24 * .key) as $y | .value
		| text(240; $y + 14; 12; "end"; .label),
		"<rect x=\"250\" y=\"\($y)\" width=\"\(width(.value) | round2)\" height=\"18\" rx=\"2\" fill=\"\(if .ours then ours else theirs end)\"/>",
		text(256 + width(.value); $y + 14; 12; "start"; "\(.value | round2) \($unit)")),
	"</svg>";

# lines: [{name, ours, points: [{x, y}]}] over the same xs.
def lines($title; $sub; $unit; $list):
	([$list[].points[].x] | unique) as $xs | ([$list[].points[].y] | max) as $top
	| def px($x): 70 + ($xs | index($x)) * (560 / ([($xs | length) - 1, 1] | max));
	def py($y): 300 - $y / $top * 220;
	frame(860; 350; $title; $sub),
	(range(0; 5) | . / 4 * $top | . as $v | "<line x1=\"70\" x2=\"630\" y1=\"\(py($v))\" y2=\"\(py($v))\" stroke=\"\(faint)\"/>",
		text(62; py($v) + 4; 11; "end"; ($v | if . >= 20 then round else round2 end))),
	($xs[] | text(px(.); 320; 11; "middle"; .)), text(350; 340; 11; "middle"; $unit),
	($list | to_entries[] | .key as $i | .value | . as $s
		| (if .ours then (["#1a7f5a", "#2563eb", "#9333ea"][$i % 3]) else "#8b949e" end) as $colour
		| "<polyline fill=\"none\" stroke=\"\($colour)\" stroke-width=\"2\" \(if .ours then "" else "stroke-dasharray=\"5 4\"" end) points=\"\([.points[] | "\(px(.x)),\(py(.y) | round2)"] | join(" "))\"/>",
		(.points[] | "<circle cx=\"\(px(.x))\" cy=\"\(py(.y) | round2)\" r=\"3\" fill=\"\($colour)\"/>"),
		"<line x1=\"645\" x2=\"665\" y1=\"\(76 + 20 * $i)\" y2=\"\(76 + 20 * $i)\" stroke=\"\($colour)\" stroke-width=\"2\" \(if .ours then "" else "stroke-dasharray=\"5 4\"" end)/>",
		text(670; 80 + 20 * $i; 12; "start"; .name)),
	"</svg>";

. as $all | [$contestants[0][] | select(.ours) | .name] as $own
| def mine($n): $own | index($n | sub(", bpf$"; "")) != null;
if $chart == "latency" then
	bars("What a container start waits for, and its end"; "milliseconds, median, one at a time, logarithmic"; "ms"; 0.3;
		[$all[] | select(.suite == "latency" and (.what == "ADD" or .what == "DEL"))
			| { label: "\(.of), \(.what)", value: (.p50 / 1000), ours: mine(.of) }] | sort_by(.value))
elif $chart == "scale" then
	lines("One more task, with many there"; "ADD, milliseconds, median"; "tasks present";
		[$all | map(select(.suite == "scale" and .what == "ADD")) | group_by(.of)[]
			| { name: .[0].of, ours: mine(.[0].of), points: [.[] | { x: .at, y: (.p50 / 1000) }] }] | sort_by(.ours | not))
elif $chart == "parallel" then
	lines("Many callers at once"; "ADD a second"; "callers";
		[$all | map(select(.suite == "parallel" and .what == "ADD")) | group_by(.of)[]
			| { name: .[0].of, ours: mine(.[0].of), points: [.[] | { x: .at, y: .value }] }] | sort_by(.ours | not))
else
	bars("From task to task"; "microseconds of a TCP round trip of 64 bytes, median"; "us"; 5;
		[$all[] | select(.suite == "data" and .what == "tcp" and .at == 0) | { label: .of, value: .value, ours: mine(.of) }] | sort_by(.value))
end | .
