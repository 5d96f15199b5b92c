# Objects of somebody else's, as files: what a runtime change may need, and bindings that a reload brings back.
# firewalld wants it for sets where there are direct rules.
apt-get install -q -y --no-install-recommends ipset > /dev/null
firewall-offline-cmd --new-ipset=banned --type=hash:net
firewall-offline-cmd --ipset=banned --add-entry=192.0.2.200
# firewalld 2.3 has no entries of a set that no rule names.
firewall-offline-cmd --zone=block --add-rich-rule='rule family="ipv4" source ipset="banned" drop'
firewall-offline-cmd --new-policy=mine
firewall-offline-cmd --policy=mine --add-ingress-zone=public
firewall-offline-cmd --policy=mine --add-egress-zone=HOST
firewall-offline-cmd --zone=home --add-interface=v1
firewall-offline-cmd --zone=work --add-source=203.0.113.0/24
systemctl start firewalld
# firewalld 2.5 counts as started before it answers.
until firewall-cmd --state --quiet; do sleep 0.1; done
