#!/bin/bash
# healthy PORT: whether a program of Narrows on this host answers its health probe. Needs nothing but bash.
set -euo pipefail
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET /-/healthy HTTP/1.0\r\nhost: localhost\r\n\r\n' >&3
read -r -t 5 status <&3
case "$status" in "HTTP/1."?" 200"*) ;; *) exit 1 ;; esac
