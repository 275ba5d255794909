#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# A small client of a runtime's CRI socket, as the kubelet is one: gRPC in protobuf, which curl carries.
# The fields are those of k8s.io/cri-api, runtime/v1/api.proto.
#
#   cri.pl SOCKET run NAME CGROUP [HOSTPORT:PORT[/udp]…]   its id
#   cri.pl SOCKET status ID          "ready" or "notready", its addresses, its first process
#   cri.pl SOCKET stop|remove ID
#   cri.pl SOCKET list               ids
#   cri.pl SOCKET networks           names of the CNI networks that it has read
#   cri.pl SOCKET conditions         "NetworkReady=1 REASON: MESSAGE", a line each
#
# Exit code 1: the runtime refused; its words are on stderr.
use strict;
use warnings;
use File::Temp qw(tempfile);

my ($socket, $verb, @args) = @ARGV;
die "usage: cri.pl SOCKET VERB [ARG...]\n" unless defined $verb;

# ---- protobuf: a message is a list of (number, wire type, value) ----

sub varint {
	my ($n, $bytes) = (shift, '');
	while ($n > 127) {
		$bytes .= chr($n & 127 | 128);
		$n >>= 7;
	}
	return $bytes . chr($n);
}
sub number { my ($field, $n) = @_; return varint($field << 3) . varint($n); }
sub bytes { my ($field, $bytes) = @_; return varint($field << 3 | 2) . varint(length $bytes) . $bytes; }

sub take_varint {
	my ($message, $at) = @_;
	my ($n, $shift, $byte) = (0, 0);
	do {
		$byte = ord substr $$message, $$at++, 1;
		$n |= ($byte & 127) << $shift;
		$shift += 7;
	} while ($byte & 128);
	return $n;
}

# fields MESSAGE: number => [values in their order].
sub fields {
	my ($message) = @_;
	my ($at, %ret) = (0);
	while ($at < length $message) {
		my $key = take_varint(\$message, \$at);
		my $type = $key & 7;
		my $value = take_varint(\$message, \$at);
		die "a field of wire type $type\n" if $type != 0 && $type != 2;
		if ($type == 2) {
			($value, $at) = (substr($message, $at, $value), $at + $value);
		}
		push @{ $ret{ $key >> 3 } }, $value;
	}
	return \%ret;
}

# ---- gRPC: one request, one answer, and how it ended in a trailer ----

sub call {
	my ($method, $request) = @_;
	my ($fh, $file) = tempfile(UNLINK => 1);
	binmode $fh;
	print $fh pack('CN', 0, length $request) . $request;
	close $fh;
	my ($hh, $headers) = tempfile(UNLINK => 1);
	open my $curl, '-|', 'curl', '-sS', '--max-time', 60, '--http2-prior-knowledge', '--unix-socket', $socket,
		'-D', $headers, '-H', 'content-type: application/grpc', '-H', 'te: trailers',
		'--data-binary', "\@$file", "http://localhost/runtime.v1.RuntimeService/$method" or die "curl: $!\n";
	binmode $curl;
	my $answer = do { local $/; <$curl> } // '';
	close $curl or die "curl ended with $?\n";
	my %said = map { /^(grpc-[a-z]+): *(.*?)\r?$/ ? ($1 => $2) : () } <$hh>;
	$said{'grpc-message'} =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge if defined $said{'grpc-message'};
	die "$method: " . ($said{'grpc-message'} // 'no grpc-status') . "\n" if ($said{'grpc-status'} // 2) != 0;
	return fields(substr $answer, 5);
}

# ---- verbs ----

sub port_mapping {
	my ($host, $port, $protocol) = $_[0] =~ m{^(\d+):(\d+)(?:/(\w+))?$} or die "no mapping: $_[0]\n";
	return bytes(5, number(1, ($protocol // 'tcp') eq 'udp' ? 1 : 0) . number(2, $port) . number(3, $host));
}

if ($verb eq 'run') {
	my ($name, $cgroup, @ports) = @args;
	my $config = bytes(1, bytes(1, $name) . bytes(2, "uid-$name") . bytes(3, 'lab')) . bytes(2, $name)
		. bytes(3, "/tmp") . join('', map { port_mapping($_) } @ports) . bytes(8, bytes(1, $cgroup));
	print call('RunPodSandbox', bytes(1, $config))->{1}[0], "\n";
} elsif ($verb eq 'status') {
	my $answer = call('PodSandboxStatus', bytes(1, $args[0]) . number(2, 1));
	my $status = fields($answer->{1}[0]);
	my $network = fields($status->{5}[0] // '');
	my @ips = (@{ $network->{1} // [] }, map { fields($_)->{1}[0] } @{ $network->{2} // [] });
	my ($pid) = map { fields($_)->{2}[0] =~ /"pid": ?(\d+)/ } @{ $answer->{2} // [] };
	print join(' ', ($status->{3}[0] // 0) ? 'notready' : 'ready', @ips, $pid // ''), "\n";
} elsif ($verb eq 'stop') {
	call('StopPodSandbox', bytes(1, $args[0]));
} elsif ($verb eq 'remove') {
	call('RemovePodSandbox', bytes(1, $args[0]));
} elsif ($verb eq 'list') {
	print map { fields($_)->{1}[0] . "\n" } @{ call('ListPodSandbox', '')->{1} // [] };
} elsif ($verb eq 'networks') {
	for my $info (map { fields($_) } @{ call('Status', number(1, 1))->{2} // [] }) {
		print map { "$_\n" } $info->{2}[0] =~ /"Config": ?\{ ?"Name": ?"([^"]+)"/g if $info->{1}[0] eq 'cniconfig';
	}
} elsif ($verb eq 'conditions') {
	my $status = fields(call('Status', '')->{1}[0]);
	for my $condition (map { fields($_) } @{ $status->{1} // [] }) {
		printf "%s=%d %s: %s\n", $condition->{1}[0], $condition->{2}[0] // 0, $condition->{3}[0] // '',
			$condition->{4}[0] // '';
	}
} else {
	die "no verb: $verb\n";
}
