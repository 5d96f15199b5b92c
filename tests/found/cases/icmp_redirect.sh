# A ruleset that names the ICMP type redirect, which is also the name of a statement.
cat > /etc/nftables.conf <<'R'
flush ruleset
table inet office {
  chain incoming {
    type filter hook input priority filter; policy drop;
    ct state { established, related } accept
    iifname "lo" accept
    icmp type { echo-request, redirect } accept
    icmpv6 type { echo-request, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect } accept
    tcp dport { 22, 631, 8080 } accept
    udp dport 5353 accept
  }
}
R
systemctl enable -q --now nftables
