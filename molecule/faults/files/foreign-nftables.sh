# shellcheck shell=sh
# At boot, as the daemons do: a bridge of Docker's and its rules, and fail2ban's table.
iptables-restore --noflush /opt/faults/docker-like.v4
nft -f /opt/faults/fail2ban-like.nft
