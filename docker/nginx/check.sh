#!/usr/bin/env bash
# nginx -t of nginx.conf as it is. Its replicas' names have to resolve, so it gets an /etc/hosts of its own where this machine allows a
# mount namespace. Elsewhere (an ordinary container) a copy is checked in which the names are 127.0.0.1, and that is said.
set -euo pipefail
cd "$(dirname "$0")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
names=$(grep -oE 'storefront-[a-z]+:' nginx.conf | tr -d : | sort -u)
{
    cat /etc/hosts
    for name in $names; do printf '127.0.0.1 %s\n' "$name"; done
} > "$work/hosts"

if unshare --mount true 2> /dev/null; then
    unshare --mount sh -c 'mount --bind "$1" /etc/hosts && exec nginx -t -c "$2"' sh "$work/hosts" "$PWD/nginx.conf"
else
    echo 'no mount namespace here: the names of the replicas are replaced by 127.0.0.1'
    sed -E 's/storefront-[a-z]+:/127.0.0.1:/' nginx.conf > "$work/nginx.conf"
    nginx -t -c "$work/nginx.conf"
fi
