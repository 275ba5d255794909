#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The ends of a test's connections: netcat cannot answer twice, send from a chosen port over both
# families, nor speak SCTP without a kernel that does. Perl's base package is on every Debian.
#
#   serve TAG PROTO:PORT…       answers each TCP connection, each UDP datagram and each SCTP INIT with a line
#                               "TAG ADDRESS" (who asked, as seen from here); says "ready" when bound.
#                               PROTO:ADDRESS:PORT binds to one address. SCTP goes by raw sockets, and the
#                               line is the cookie of the INIT ACK.
#   ask PROTO ADDRESS PORT [SECONDS [SOURCE-PORT]]   one question; prints the answer
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

sub crc32c {
	my ($data) = @_;
	my $crc = 0xffffffff;
	for my $byte (unpack 'C*', $data) {
		$crc ^= $byte;
		$crc = $crc & 1 ? ($crc >> 1) ^ 0x82f63b78 : $crc >> 1 for 1 .. 8;
	}
	return $crc ^ 0xffffffff;
}

# sctp_packet FROM-PORT TO-PORT TAG TYPE PARAMETERS: with an INIT (1) or an INIT ACK (2), both of which have
# a tag, a window, the numbers of streams out and in, and a TSN before their parameters.
sub sctp_packet {
	my ($from, $to, $tag, $type, $parameters) = @_;
	my $head = pack 'nnN', $from, $to, $tag;
	my $chunk = pack 'CCnNNnnNa*', $type, 0, 20 + length $parameters, 0x12345678, 65536, 1, 1, 1, $parameters;
	return $head . pack('V', crc32c($head . pack('V', 0) . $chunk)) . $chunk;
}

# sctp_read SOCKET: (sender, from port, to port, tag, type, parameters) of a packet whose checksum is right.
sub sctp_read {
	my ($s) = @_;
	my $sender = recv($s, my $data, 2048, 0) or return;
	# IPv4's raw sockets show the header.
	substr $data, 0, (ord($data) & 15) * 4, '' if sockaddr_family(getsockname $s) == AF_INET;
	return if length $data < 32;
	my ($from, $to, $tag, $sum, $type) = unpack 'nnNVC', $data;
	substr $data, 8, 4, pack 'V', 0;
	return if crc32c($data) != $sum;
	return ($sender, $from, $to, $tag, $type, substr $data, 32);
}

# sctp_serve SOCKET TAG PORTS: an INIT for one of them is answered by an INIT ACK.
sub sctp_serve {
	my ($s, $name, $ports) = @_;
	my ($sender, $from, $to, undef, $type) = sctp_read($s) or return;
	return if $type != 1 || !$ports->{$to};
	my $line = "$name " . whom($sender);
	$line .= ' ' while length($line) % 4;
	# The tag is that of every INIT here; parameter 7 is the cookie.
	send $s, sctp_packet($to, $from, 0x12345678, 2, pack 'nna*', 7, 4 + length $line, $line), 0, $sender;
}

# sctp_ask SOCKET PORT UNTIL [OWN-PORT]: only what the socket is connected to is heard, and only from that port.
sub sctp_ask {
	my ($s, $port, $end, $own) = @_;
	$own ||= 20000 + $$ % 40000;
	my $next = 0;
	while ((my $now = now()) < $end) {
		if ($now >= $next) {
			send $s, sctp_packet($own, $port, 0, 1, ''), 0;
			$next = $now + 0.3;
		}
		IO::Select->new($s)->can_read(0.05) or next;
		my (undef, $from, $to, $tag, $type, $cookie) = sctp_read($s) or next;
		next if $from != $port || $to != $own || $tag != 0x12345678 || $type != 2;
		print substr($cookie, 4) =~ s/ *$/\n/r;
		exit 0;
	}
	exit 1;
}

sub serve {
	my ($tag, @ports) = @_;
	my $all = IO::Select->new;
	my (%proto, %sctp);
	for (@ports) {
		my ($proto, $address, $port) = /^(tcp|udp|sctp):(?:(.*):)?(\d+)$/ or die "not PROTO:PORT: $_";
		if ($proto eq 'sctp') { $sctp{$port} = 1; next }
		my $s = bound($proto, $address // '::', $port);
		$proto{$s} = $proto;
		$all->add($s);
	}
	for my $family (%sctp ? (AF_INET, AF_INET6) : ()) {
		socket(my $s, $family, SOCK_RAW, 132) or die "socket: $!";
		$proto{$s} = 'sctp';
		$all->add($s);
	}
	print "ready\n";
	for (;;) {
		for my $s ($all->can_read) {
			if ($proto{$s} eq 'sctp') {
				sctp_serve($s, $tag, \%sctp);
			} elsif ($proto{$s} eq 'udp') {
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
	my %types = (tcp => [SOCK_STREAM, 0], udp => [SOCK_DGRAM, 0], sctp => [SOCK_RAW, 132]);
	socket(my $s, $family, $types{$proto}[0], $types{$proto}[1]) or exit 1;
	setsockopt $s, SOL_SOCKET, SO_REUSEADDR, 1;
	if ($from && $proto ne 'sctp') { bind $s, (at($family == AF_INET ? '0.0.0.0' : '::', $from))[1] or die "bind: $!" }
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
	connect $s, $proto eq 'sctp' ? (at($address, 0))[1] : $name or exit 1;
	sctp_ask($s, $port, $end, $from) if $proto eq 'sctp';
	while ((my $left = $end - now()) > 0) {
		send $s, "hello\n", 0;
		IO::Select->new($s)->can_read($left < 0.3 ? $left : 0.3) or next;
		my $data;
		if (defined(recv $s, $data, 2048, 0) && length $data) { print $data; exit 0 }
		exit 1;
	}
	exit 1;
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
elsif ($what eq 'flood') { flood(@ARGV) }
elsif ($what eq 'receive') { receive(@ARGV) }
elsif ($what eq 'send') { fill(@ARGV) }
else { die "usage: see the head of $0\n" }
