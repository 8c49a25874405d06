"""UDP traffic for the demo, bounded in time: send, receive, and a row of the table."""

import socket
import sys
import time

PORT, PAYLOAD, HEADERS = 5000, 64, {socket.AF_INET: 42, socket.AF_INET6: 62}
OFFERED_PER_MS = 10
WARM_UP = 1.0


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def send(address, seconds):
    sock = socket.socket(family(address), socket.SOCK_DGRAM)
    start, sent = time.monotonic(), 0
    while time.monotonic() - start < seconds:
        for _ in range(OFFERED_PER_MS):
            try:
                sock.sendto(bytes(PAYLOAD), (address, PORT))
            except OSError:  # an egress drop is told to the sender
                pass
            sent += 1
        time.sleep(0.001)
    print(sent / seconds)


def receive(address, seconds):
    """Packets a second over a window that begins WARM_UP after the first one, when the burst is spent."""
    sock = socket.socket(family(address), socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
    sock.settimeout(5)
    sock.bind((address, PORT))
    sock.recv(2048)
    begin = time.monotonic() + WARM_UP
    count = 0
    while True:
        sock.recv(2048)
        now = time.monotonic()
        if now >= begin + seconds:
            break
        count += now >= begin
    print(count / seconds, HEADERS[family(address)] + PAYLOAD)


def row(case, sent_file, received_file, expected, unit, drops):
    offered = float(open(sent_file).read())
    rate, size = map(float, open(received_file).read().split())
    factor = 8 * size if unit == "bits/s" else 1
    error = (rate * factor / float(expected) - 1) * 100
    print(
        f"{case:22} {offered * factor:14,.0f} {rate * factor:14,.0f} {float(expected):14,.0f}"
        f" {error:+8.2f} {int(drops):10,}  {unit}",
        flush=True,
    )
    if abs(error) > 1:
        sys.exit(f"{case}: {error:+.2f} % is more than 1 % off the policy's rate")


def header():
    print(f"{'CASE':22} {'OFFERED':>14} {'ARRIVED':>14} {'POLICY':>14} {'ERROR %':>8} {'DROPPED':>10}  UNIT", flush=True)


if __name__ == "__main__":
    verb, arguments = sys.argv[1], sys.argv[2:]
    if verb in ("send", "receive"):
        {"send": send, "receive": receive}[verb](arguments[0], float(arguments[1]))
    elif verb == "row":
        row(*arguments)
    else:
        header()
