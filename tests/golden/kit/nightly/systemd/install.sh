#!/bin/sh
# Puts the kit of nightly in its place, as root. The package brings the units.
set -eu
cd "$(dirname "$0")"
install -D -m 0644 nightly.yaml /etc/hakobu/nightly.yaml
install -d -m 0700 /etc/hakobu/nightly.credentials
if [ ! -e /etc/hakobu/nightly.environment ]; then
  install -m 0600 nightly.environment.example /etc/hakobu/nightly.environment
  echo 'fill in /etc/hakobu/nightly.environment, then start this once more' >&2
  exit 1
fi
install -D -m 0644 service.conf /etc/systemd/system/hakobu-run@nightly.service.d/kit.conf
install -D -m 0644 timer.conf /etc/systemd/system/hakobu-run@nightly.timer.d/kit.conf
systemctl daemon-reload
systemctl enable --now hakobu-run@nightly.timer
