# shellcheck shell=sh
# firewalld 1.3 has its name on the bus, and so is started for systemd, before it empties the tables of iptables.
! systemctl is-active --quiet firewalld.service || firewall-cmd --quiet --state
iptables-restore --noflush /opt/faults/docker-like.v4
nft -f /opt/faults/fail2ban-like.nft
# fail2ban's action firewallcmd-rich-rules, and a set of the kind that its other actions use.
firewall-cmd --quiet --add-rich-rule="rule family='ipv4' source address='192.0.2.15' port port='22' protocol='tcp' reject"
firewall-cmd --quiet --zone=public --add-port=9443/tcp
