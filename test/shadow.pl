#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A task that wants the host's ports, and its accomplice outside. The task holds flows from a fixed source
# port to ten ports of the accomplice; whoever asks the host from one of these ports must get the answer of
# the one who serves the port, and never that of the task.
#
#   accomplice HOST PROTO:SERVICE:BASE…   answers what comes to BASE to BASE + 9; at a line on stdin asks the
#                                         port SERVICE of HOST from each of them, and prints for each
#                                         argument "PROTO:SERVICE ANSWER×TIMES…" of the first words
#   task ADDRESS PROTO:SOURCE:BASE…       holds the flows; says "ready" and the number that were answered;
#                                         says EVIL to all that comes
use strict;
use warnings;
use IO::Select;
use Socket qw(:all);

$| = 1;
$SIG{PIPE} = 'IGNORE';
use constant { TIMES => 10, SO_REUSE => 15 };

sub at {
	my ($address, $port) = @_;
	return (AF_INET6, pack_sockaddr_in6($port, inet_pton(AF_INET6, $address))) if $address =~ /:/;
	return (AF_INET, pack_sockaddr_in($port, inet_pton(AF_INET, $address)));
}

# bound PROTO LIKE PORT: a socket of LIKE's family on every address.
sub bound {
	my ($proto, $like, $port) = @_;
	my ($family, $name) = at($like =~ /:/ ? '::' : '0.0.0.0', $port);
	socket(my $s, $family, $proto eq 'tcp' ? SOCK_STREAM : SOCK_DGRAM, 0) or die "socket: $!";
	setsockopt $s, SOL_SOCKET, $_, 1 for SO_REUSEADDR, SO_REUSE;
	setsockopt $s, IPPROTO_IPV6, IPV6_V6ONLY, 1 if $family == AF_INET6;
	bind $s, $name or die "bind $proto $port: $!\n";
	return $s;
}

# answer SOCKET SECONDS: the first word of what comes.
sub answer {
	my ($s, $seconds) = @_;
	IO::Select->new($s)->can_read($seconds) or return 'none';
	my $data;
	defined(recv $s, $data, 2048, 0) && length $data or return 'none';
	return (split ' ', $data)[0];
}

# tcp_ask SOCKET NAME: closed by a reset, so that the port is free at once.
sub tcp_ask {
	my ($s, $name) = @_;
	my $answer = 'none';
	local $SIG{ALRM} = sub { die "late\n" };
	alarm 2;
	eval { connect $s, $name and $answer = answer($s, 1) };
	alarm 0;
	setsockopt $s, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
	close $s;
	return $answer;
}

sub accomplice {
	my ($host, @all) = @_;
	my $ports = IO::Select->new(\*STDIN);
	my (%udp, @held);
	for (@all) {
		my ($proto, undef, $base) = split /:/;
		for my $port ($base .. $base + TIMES - 1) {
			my $s = bound($proto, $host, $port);
			listen $s, 9 if $proto eq 'tcp';
			$udp{"$proto:$port"} = $s if $proto eq 'udp';
			$udp{$s} = 1 if $proto eq 'udp';
			$ports->add($s);
		}
	}
	print "ready\n";
	WAIT: for (;;) {
		for my $s ($ports->can_read) {
			last WAIT if $s == \*STDIN;
			if ($udp{$s}) {
				my $from = recv $s, my $data, 2048, 0 or next;
				send $s, "accomplice\n", 0, $from;
			} elsif (accept my $c, $s) {
				syswrite $c, "accomplice\n";
				push @held, $c;
			}
		}
	}
	for my $s ($ports->handles) { close $s if $s != \*STDIN && !$udp{$s} }
	for (@all) {
		my ($proto, $service, $base) = split /:/;
		my (undef, $name) = at($host, $service);
		my %seen;
		for my $port ($base .. $base + TIMES - 1) {
			if ($proto eq 'tcp') {
				$seen{tcp_ask(bound($proto, $host, $port), $name)}++;
			} else {
				my $s = $udp{"$proto:$port"};
				send $s, "hello\n", 0, $name;
				$seen{answer($s, 1)}++;
			}
		}
		print "$proto:$service ", join(' ', map { "$_×$seen{$_}" } sort keys %seen), "\n";
	}
}

sub task {
	my ($to, @all) = @_;
	my $flows = IO::Select->new;
	my ($answered, %tcp) = (0);
	for (@all) {
		my ($proto, $source, $base) = split /:/;
		for my $port ($base .. $base + TIMES - 1) {
			my $s = bound($proto, $to, $source);
			my ($family, $name) = at($to, $port);
			# A source port that is drawn again is refused the first time, perhaps.
			$SIG{ALRM} = sub { die "late\n" };
			alarm 4;
			eval { connect $s, $name };
			alarm 0;
			$tcp{$s} = $proto eq 'tcp';
			send $s, "hello\n", 0 if $proto eq 'udp';
			$answered++ if answer($s, 1) eq 'accomplice';
			$flows->add($s);
		}
	}
	print "ready $answered\n";
	for (;;) {
		for my $s ($flows->can_read) {
			my $data;
			if (defined(recv $s, $data, 2048, 0) && length $data) { send $s, "EVIL\n", 0 }
			else { $flows->remove($s) }
		}
	}
}

my $what = shift // '';
if ($what eq 'accomplice') { accomplice(@ARGV) }
elsif ($what eq 'task') { task(@ARGV) }
else { die "usage: see the head of $0\n" }
