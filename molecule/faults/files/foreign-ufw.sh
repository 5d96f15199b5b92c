# shellcheck shell=sh
iptables-restore --noflush /opt/faults/docker-like.v4
nft -f /opt/faults/fail2ban-like.nft
