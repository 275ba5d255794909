#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The ends of a test's connections: netcat cannot answer twice, send from a chosen port over both
# families, nor speak SCTP without a kernel that does. Perl's base package is on every Debian.
#
#   serve TAG PROTO:PORT…       answers each TCP connection and each UDP datagram with a line
#                               "TAG ADDRESS" (who asked, as seen from here); says "ready" when bound.
#                               PROTO:ADDRESS:PORT binds to one address.
#   ask PROTO ADDRESS PORT [SECONDS [SOURCE-PORT]]   one question; prints the answer
#   init ADDRESS PORT           an SCTP INIT chunk, by a raw socket
#   flood ADDRESS PORT SECONDS SOURCE-PORT       datagrams as fast as it can, from one port
#   receive PORT                says "ready", takes one TCP connection, prints its Mbit/s at the end
#   send ADDRESS PORT SECONDS   fills one TCP connection
use strict;
use warnings;
use IO::Select;
use Socket qw(:all);

$| = 1;
$SIG{PIPE} = 'IGNORE';

# now: seconds, to a hundredth; Time::HiRes is not in the base package.
sub now {
	open my $f, "<", "/proc/uptime" or die "uptime: $!";
	return (split " ", <$f>)[0];
}

# at ADDRESS PORT: family and sockaddr.
sub at {
	my ($address, $port) = @_;
	return (AF_INET6, pack_sockaddr_in6($port, inet_pton(AF_INET6, $address))) if $address =~ /:/;
	return (AF_INET, pack_sockaddr_in($port, inet_pton(AF_INET, $address)));
}

sub whom {
	my ($name) = @_;
	return inet_ntop(AF_INET, (unpack_sockaddr_in($name))[1]) if sockaddr_family($name) == AF_INET;
	my (undef, $address) = eval { unpack_sockaddr_in6($name) } or return '?';
	my $text = inet_ntop(AF_INET6, $address);
	$text =~ s/^::ffff://;
	return $text;
}

# bound PROTO ADDRESS PORT: a socket of both families, unless an address is given.
sub bound {
	my ($proto, $address, $port) = @_;
	my ($family, $name) = at($address, $port);
	socket(my $s, $family, $proto eq 'tcp' ? SOCK_STREAM : SOCK_DGRAM, 0) or die "socket: $!";
	setsockopt $s, SOL_SOCKET, SO_REUSEADDR, 1;
	setsockopt $s, IPPROTO_IPV6, IPV6_V6ONLY, 0 if $family == AF_INET6;
	bind $s, $name or die "bind $proto $address $port: $!\n";
	if ($proto eq 'tcp') { listen $s, 1024 or die "listen: $!" }
	return $s;
}

sub serve {
	my ($tag, @ports) = @_;
	my $all = IO::Select->new;
	my %proto;
	for (@ports) {
		my ($proto, $address, $port) = /^(tcp|udp):(?:(.*):)?(\d+)$/ or die "not PROTO:PORT: $_";
		my $s = bound($proto, $address // '::', $port);
		$proto{$s} = $proto;
		$all->add($s);
	}
	print "ready\n";
	for (;;) {
		for my $s ($all->can_read) {
			if ($proto{$s} eq 'udp') {
				my $from = recv $s, my $data, 2048, 0 or next;
				send $s, "$tag " . whom($from) . "\n", 0, $from;
			} else {
				my $from = accept my $c, $s or next;
				syswrite $c, "$tag " . whom($from) . "\n";
				close $c;
			}
		}
	}
}

sub ask {
	my ($proto, $address, $port, $seconds, $from) = @_;
	my ($family, $name) = at($address, $port);
	socket(my $s, $family, $proto eq 'tcp' ? SOCK_STREAM : SOCK_DGRAM, 0) or exit 1;
	setsockopt $s, SOL_SOCKET, SO_REUSEADDR, 1;
	if ($from) { bind $s, (at($family == AF_INET ? '0.0.0.0' : '::', $from))[1] or die "bind: $!" }
	my $end = now() + ($seconds // 1);
	# A whole attempt that hangs ends with the process: exit status by the alarm.
	$SIG{ALRM} = sub { exit 1 };
	alarm 1 + int($seconds // 1);
	if ($proto eq 'tcp') {
		use Fcntl;
		fcntl $s, F_SETFL, fcntl($s, F_GETFL, 0) | O_NONBLOCK;
		connect $s, $name;
		my $w = IO::Select->new($s);
		$w->can_write($end - now()) or exit 1;
		my $error = unpack 'i', getsockopt $s, SOL_SOCKET, SO_ERROR;
		exit 1 if $error;
		my $left = $end - now();
		$w->can_read($left > 0 ? $left : 0) or exit 1;
		sysread $s, my $data, 2048 or exit 1;
		print $data;
		exit 0;
	}
	connect $s, $name or exit 1;
	while ((my $left = $end - now()) > 0) {
		send $s, "hello\n", 0;
		IO::Select->new($s)->can_read($left < 0.3 ? $left : 0.3) or next;
		my $data;
		if (defined(recv $s, $data, 2048, 0) && length $data) { print $data; exit 0 }
		exit 1;
	}
	exit 1;
}

sub crc32c {
	my ($data) = @_;
	my $crc = 0xffffffff;
	for my $byte (unpack 'C*', $data) {
		$crc ^= $byte;
		$crc = $crc & 1 ? ($crc >> 1) ^ 0x82f63b78 : $crc >> 1 for 1 .. 8;
	}
	return $crc ^ 0xffffffff;
}

sub init {
	my ($address, $port) = @_;
	my ($family, $name) = at($address, 0);
	socket(my $s, $family, SOCK_RAW, 132) or die "socket: $!";
	# Ports, tag 0, checksum; INIT of 20 bytes: tag, window, streams out and in, TSN.
	my $head = pack 'nnN', 40000 + $$ % 1000, $port, 0;
	my $chunk = pack 'CCnNNnnN', 1, 0, 20, 0x12345678, 65536, 1, 1, 1;
	my $sum = pack 'V', crc32c($head . pack('V', 0) . $chunk);
	send $s, $head . $sum . $chunk, 0, $name or die "send: $!";
}

sub receive {
	my ($port) = @_;
	my $s = bound('tcp', '::', $port);
	print "ready\n";
	accept(my $c, $s) or exit 1;
	my ($bytes, $first, $last);
	while (my $n = sysread $c, my $data, 1 << 18) {
		$last = now();
		$first //= $last;
		$bytes += $n;
	}
	printf "%.2f\n", $first && $last > $first ? $bytes * 8 / ($last - $first) / 1e6 : 0;
}

sub fill {
	my ($address, $port, $seconds) = @_;
	my ($family, $name) = at($address, $port);
	socket(my $s, $family, SOCK_STREAM, 0) or die;
	# Little is buffered here: what was written has nearly been sent.
	setsockopt $s, SOL_SOCKET, SO_SNDBUF, 65536;
	connect $s, $name or die "connect: $!\n";
	my $end = now() + $seconds;
	my $data = 'x' x 16384;
	while (now() < $end) { syswrite $s, $data or last }
}

sub flood {
	my ($address, $port, $seconds, $from) = @_;
	my ($family, $name) = at($address, $port);
	socket(my $s, $family, SOCK_DGRAM, 0) or die "socket: $!";
	bind $s, (at($family == AF_INET ? '0.0.0.0' : '::', $from))[1] or die "bind: $!";
	my $end = now() + $seconds;
	print "ready\n";
	while (now() < $end) { send $s, "x", 0, $name for 1 .. 100 }
}

my $what = shift // '';
if ($what eq 'serve') { serve(@ARGV) }
elsif ($what eq 'ask') { ask(@ARGV) }
elsif ($what eq 'init') { init(@ARGV) }
elsif ($what eq 'flood') { flood(@ARGV) }
elsif ($what eq 'receive') { receive(@ARGV) }
elsif ($what eq 'send') { fill(@ARGV) }
else { die "usage: see the head of $0\n" }
