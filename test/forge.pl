#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Frames as an attacker with CAP_NET_RAW writes them, by a packet socket: any MAC, any address, any tag.
# Perl's base package is on every Debian.
#
#   forge.pl DEV KIND [KEY=VALUE…] [-- KIND …]…      one after the other
#
#   udp       from= to= [sport= dport=]      a datagram; options=HEX: with IPv4 options;
#                                            id= part=1|2: the first or second fragment of one
#   syn       from= to= sport= dport=        the first segment of a TCP connection, IPv4
#   arp       op=1|2 sha= spa= tha= tpa=     a question or an answer
#   na        from= to= target= lladdr=      unsolicited neighbour advertisement, "override"
#   ns        from= to= target= lladdr=      neighbour solicitation
#   ra        from= prefix=                  router advertisement: a default route and a prefix
#   redirect  from= to= via= about=          ICMP redirect: "about" is better reached by "via"
#
# For all: smac= (default: that of DEV) dmac= (default: everybody), vlan=ID[,ID]: 802.1Q tags, the outer
# first; n=NUMBER: so many times, where %d in a value counts from 1.
use strict;
use warnings;
use Socket qw(:all);

use constant { AF_PACKET => 17, SIOCGIFINDEX => 0x8933, SIOCGIFHWADDR => 0x8927 };

my $dev = shift // die "usage: see the head of $0\n";
my %o; # of the frame that is being made

socket(my $s, AF_PACKET, SOCK_RAW, 0) or die "packet socket: $!\n";
my $ask = pack 'a16 x24', $dev;
ioctl $s, SIOCGIFINDEX, $ask or die "$dev: $!\n";
my $ifindex = unpack 'x16 i', $ask;
ioctl $s, SIOCGIFHWADDR, $ask or die "$dev: $!\n";
my $own = join ':', map { sprintf '%02x', $_ } unpack 'x18 C6', $ask;

sub mac { return pack 'C6', map { hex } split /:/, shift }

sub address {
	my ($text) = @_;
	return inet_pton($text =~ /:/ ? AF_INET6 : AF_INET, $text) // die "no address: $text\n";
}

sub checksum {
	my ($data) = @_;
	my $sum = 0;
	$sum += $_ for unpack 'n*', length($data) % 2 ? "$data\0" : $data;
	$sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
	return ~$sum & 0xffff;
}

# piece DATA: of two fragments the one that part= names: its offset in bytes, if more follows, the data.
sub piece {
	my ($data) = @_;
	return (0, 0, $data) unless $o{part};
	my $half = length($data) >> 4 << 3;
	return $o{part} == 1 ? (0, 1, substr $data, 0, $half) : ($half, 0, substr $data, $half);
}

# ipv4 PROTOCOL DATA: with the options and the fragment offset of the command line.
sub ipv4 {
	my ($protocol, $data) = @_;
	my $options = pack 'H*', $o{options} // '';
	my ($offset, $more, $part) = piece($data);
	my $header = pack 'CCnnnCCna4a4a*', 0x45 + length($options) / 4, 0, 20 + length($options) + length $part,
		$o{id} // 0, $more << 13 | $offset >> 3, 64, $protocol, 0, address($o{from}), address($o{to}), $options;
	substr $header, 10, 2, pack 'n', checksum($header);
	return (0x0800, $header . $part);
}

# ipv6 NEXT DATA AT: AT is where DATA has its checksum. A hop limit of 255: as from a neighbour.
sub ipv6 {
	my ($next, $data, $at) = @_;
	my @ends = (address($o{from}), address($o{to}));
	substr $data, $at, 2, pack 'n', checksum(pack('a16a16Nx3C', @ends, length $data, $next) . $data) || 0xffff;
	if ($o{part}) {
		my ($offset, $more, $part) = piece($data);
		$data = pack('CCnN', $next, 0, $offset | $more, $o{id}) . $part;
		$next = 44;
	}
	return (0x86dd, pack('NnCCa16a16', 6 << 28, length $data, $next, 255, @ends) . $data);
}

# neighbour TYPE FLAGS OPTION: an ICMPv6 message about the target, with a MAC as its option.
sub neighbour {
	my ($type, $flags, $option) = @_;
	return ipv6(58, pack('CCnNa16CCa6', $type, 0, 0, $flags, address($o{target}), $option, 1, mac($o{lladdr})), 2);
}

my %kinds = (
	udp => sub {
		my $text = 'forged! ' x 8;
		my $udp = pack 'nnnna*', $o{sport} // 7000, $o{dport} // 7002, 8 + length $text, 0, $text;
		return $o{from} =~ /:/ ? ipv6(IPPROTO_UDP, $udp, 6) : ipv4(IPPROTO_UDP, $udp);
	},
	syn => sub {
		my $tcp = pack 'nnNNCCnnn', $o{sport}, $o{dport}, 1, 0, 0x50, 2, 64240, 0, 0;
		my $ends = pack 'a4a4CCn', address($o{from}), address($o{to}), 0, IPPROTO_TCP, length $tcp;
		substr $tcp, 16, 2, pack 'n', checksum($ends . $tcp);
		return ipv4(IPPROTO_TCP, $tcp);
	},
	arp => sub {
		return (0x0806, pack 'nnCCna6a4a6a4', 1, 0x0800, 6, 4, $o{op}, mac($o{sha}), address($o{spa}),
			mac($o{tha} // '0:0:0:0:0:0'), address($o{tpa}));
	},
	na => sub { return neighbour(136, 0x20000000, 2) },
	ns => sub { return neighbour(135, 0, 1) },
	ra => sub {
		$o{to} //= 'ff02::1';
		return ipv6(58, pack('CCnCCnNN', 134, 0, 0, 64, 0, 1800, 0, 0) .
			pack('CCCCNNNa16', 3, 4, 64, 0xc0, 1800, 1800, 0, address($o{prefix})), 2);
	},
	redirect => sub {
		# What it is about must look like something that the victim has sent: an echo reply.
		my $sent = pack 'CCnnnCCna4a4', 0x45, 0, 28, 0, 0, 64, 1, 0, address($o{to}), address($o{about});
		substr $sent, 10, 2, pack 'n', checksum($sent);
		my $icmp = pack 'CCna4a*', 5, 1, 0, address($o{via}), $sent . pack 'CCnnn', 0, 0, 0xffff, 0, 0;
		substr $icmp, 2, 2, pack 'n', checksum($icmp);
		return ipv4(1, $icmp);
	},
);

# frame: the one that %o describes, sent.
sub frame {
	my ($make) = @_;
	my ($type, $packet) = $make->();
	my $to = mac($o{dmac} // 'ff:ff:ff:ff:ff:ff');
	my $tags = join '', map { pack 'nn', 0x8100, $_ } split /,/, $o{vlan} // '';
	my $bytes = $to . mac($o{smac} // $own) . $tags . pack('n', $type) . $packet;
	my $at = pack 'SniSCCa8', AF_PACKET, $tags ? 0x8100 : $type, $ifindex, 0, 0, 6, $to;
	send $s, $bytes, 0, $at or die "$dev: $!\n";
}

while (@ARGV) {
	my $kind = shift;
	my $make = $kinds{$kind} or die "no kind of frame: $kind\n";
	my %given;
	while (@ARGV and (my $word = shift) ne '--') {
		$word =~ /^(\w+)=(.*)$/ or die "not KEY=VALUE: $word\n";
		$given{$1} = $2;
	}
	for my $i (1 .. $given{n} // 1) {
		%o = map { my $value = $given{$_}; $value =~ s/%d/$i/; ($_, $value) } keys %given;
		frame($make);
	}
}
