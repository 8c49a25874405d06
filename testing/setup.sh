#!/usr/bin/env bash
# Installs what builds and tests need and the machine lacks. Safe to run again.
#
#   setup.sh        for make build and make test
#   setup.sh e2e    what real nodes and images need as well, for make e2e
set -euo pipefail
declare -A package=(
    [javac]=openjdk-17-jdk-headless [mvn]=maven [clang]=clang [clang-format]=clang-format
    [bpftool]=bpftool [ip]=iproute2 [etcd]=etcd-server [nsenter]=util-linux [git]=git
    [jq]=jq [buildah]=buildah [mmdebstrap]=mmdebstrap [shellcheck]=shellcheck [codespell]=codespell
    [socat]=socat [strace]=strace [promtool]=prometheus [nft]=nftables [iptables-nft]=iptables [ethtool]=ethtool
)
case "${1:-}" in
    "") ;;
    e2e)
        package+=(
            [containerd]=containerd [runc]=runc [/usr/lib/cni/bridge]=containernetworking-plugins
            [tc]=iproute2
        ) ;;
    *) echo "usage: setup.sh [e2e]; not \"$1\"" >&2; exit 2 ;;
esac
missing=()
PATH=$PATH:/usr/sbin:/sbin
for command in "${!package[@]}"; do
    command -v "$command" >/dev/null || missing+=("${package[$command]}")
done
[ -e /usr/include/bpf/bpf_helpers.h ] || missing+=(libbpf-dev)
ldconfig -p | grep -q 'libbpf\.so\.1' || missing+=(libbpf1)
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "missing: ${missing[*]}; install them as root, or run make setup as root" >&2
    exit 1
fi
echo "installing ${missing[*]}"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
