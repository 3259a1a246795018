#!/bin/sh
# Puts the kit of live in its place, as root. The package brings the units.
set -eu
cd "$(dirname "$0")"
install -D -m 0644 live.yaml /etc/hakobu/live.yaml
install -d -m 0700 /etc/hakobu/live.credentials
if [ ! -e /etc/hakobu/live.environment ]; then
  install -m 0600 live.environment.example /etc/hakobu/live.environment
  echo 'fill in /etc/hakobu/live.environment, then start this once more' >&2
  exit 1
fi
install -D -m 0644 service.conf /etc/systemd/system/hakobu-stream@live.service.d/kit.conf
systemctl daemon-reload
systemctl enable --now hakobu-stream@live.service
