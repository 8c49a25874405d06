#!/usr/bin/env bash
# The agent on a bare host: policies from files, packets from a second network namespace, and how
# many of them arrived. Needs root. Takes about half a minute.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
source=tb-source-$$ node=tb-node-$$
agent=
rate=2000 seconds=10

clean() {
    status=$?
    if [ -n "$agent" ]; then
        kill "$agent" 2>/dev/null || true
        wait "$agent" 2>/dev/null || true
    fi
    on_node "$root/bin/tb" cleanup --bpffs "$work/bpf" --state-dir "$work/state" >/dev/null 2>&1 || true
    ip netns del "$source" 2>/dev/null || true
    ip netns del "$node" 2>/dev/null || true
    umount "$work/bpf" 2>/dev/null || true
    if [ "$status" -eq 0 ]; then rm -rf "$work"; else echo "failed; the agent's log is $work/agent.log" >&2; fi
}
on_node() { nsenter "--net=/run/netns/$node" "$@"; }
trap clean EXIT

mkdir "$work/policies"
ip netns add "$source"
ip netns add "$node"
ip link add tb0 netns "$source" type veth peer name eth0 netns "$node"
for host in "$source 2 tb0" "$node 1 eth0"; do
    read -r name number link <<<"$host"
    ip -n "$name" addr add "10.88.0.$number/24" dev "$link"
    ip -n "$name" addr add "fd88::$number/64" dev "$link" nodad
    ip -n "$name" link set "$link" up
done

# waits until the agent's log has the line, 30 s at most
await() {
    for _ in $(seq 300); do grep -q "$1" "$work/agent.log" && return; sleep 0.1; done
    echo "no '$1' in the agent's log after 30 s:" >&2; cat "$work/agent.log" >&2; return 1
}
# policy NAME RATE BURST [PER [DIRECTION]]
policy() {
    cat >"$work/policies/.new" <<Y
apiVersion: tokenbucket.dev/v1alpha1
kind: TokenBucketPolicy
metadata: {name: $1}
spec:
  interfaces: [{name: eth0}]
  bucket: {per: ${4:-Node}}
  direction: ${5:-Ingress}
  rate: {$2}
  burst: {$3}
Y
    mv "$work/policies/.new" "$work/policies/policy.yaml"
    await "programmed $1 "
}
# measure CASE FROM TO FAMILY-ADDRESS EXPECTED UNIT
measure() {
    nsenter "--net=/run/netns/$3" python3 "$root/testing/traffic.py" receive "$4" "$seconds" >"$work/received" &
    receiver=$!
    nsenter "--net=/run/netns/$2" python3 "$root/testing/traffic.py" send "$4" $((seconds + 2)) >"$work/sent"
    wait "$receiver"
    drops=$(on_node "$root/bin/tb" status --json --bpffs "$work/bpf" --state-dir "$work/state" |
        python3 -c 'import json,sys; print(sum(p["exceedPackets"] for h in json.load(sys.stdin)["hooks"] for p in h["policies"]))')
    python3 "$root/testing/traffic.py" row "$1" "$work/sent" "$work/received" "$5" "$6" "$drops"
}

echo "starting the agent (compiles the classifier)"
# no function here: $! is then the agent itself, so that the clean-up ends it and not a shell
nsenter "--net=/run/netns/$node" "$root/bin/tb" agent --policies "$work/policies" --bpffs "$work/bpf" --state-dir "$work/state" \
    >"$work/agent.log" 2>&1 &
agent=$!
await "agent ready"
python3 "$root/testing/traffic.py" header
policy node-wide "packetsPerSecond: $rate" "packets: 100"
measure "node-wide, packets/s" "$source" "$node" 10.88.0.1 "$rate" packets/s
policy bits "bitsPerSecond: 2M" "bytes: 15140"
measure "bits/s" "$source" "$node" 10.88.0.1 2000000 bits/s
policy ipv6 "packetsPerSecond: $rate" "packets: 100" SourceIP
measure "per source, IPv6" "$source" "$node" fd88::1 "$rate" packets/s
policy egress "packetsPerSecond: $rate" "packets: 100" Node Egress
measure "egress" "$node" "$source" 10.88.0.2 "$rate" packets/s
rm "$work/policies/policy.yaml"
await "removed every map and pin"
echo "policy removed; what the hook holds of ours:"
on_node "$root/bin/tb" status --bpffs "$work/bpf" --state-dir "$work/state"
