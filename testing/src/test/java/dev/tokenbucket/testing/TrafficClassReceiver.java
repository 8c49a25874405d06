package dev.tokenbucket.testing;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/**
 * A UDP socket that tells of each datagram the IPv4 TOS or IPv6 traffic class that it came with,
 * which Java's sockets don't; and a packet capture, both in the namespace they are made in.
 */
final class TrafficClassReceiver implements AutoCloseable {
  private static final int AF_INET = 2;
  private static final int AF_INET6 = 10;
  private static final int AF_PACKET = 17;
  private static final int SOCK_DGRAM = 2;
  private static final int SOCK_RAW = 3;
  private static final int ETH_P_ALL = 3;
  private static final int SOL_SOCKET = 1;
  private static final int SO_RCVTIMEO = 20;
  private static final int IPPROTO_IPV6 = 41;
  private static final int IP_RECVTOS = 13;
  private static final int IPV6_RECVTCLASS = 66;
  private static final int MICROS = 300_000;
  private static final int CONTROL = 64;
  private static final int CONTROL_HEADER = 16;

  /** What is used of libc. */
  public interface LibC {
    int socket(int domain, int type, int protocol);

    int bind(int fd, byte[] address, int length);

    int setsockopt(int fd, int level, int name, byte[] value, int length);

    long recvmsg(int fd, Pointer message, int flags);

    int close(int fd);
  }

  private final LibC library = LibraryLoader.create(LibC.class).load("c");
  private final Runtime runtime = Runtime.getRuntime(library);
  private final int socket;

  /** A socket at this address and port. */
  TrafficClassReceiver(InetAddress at, int port) {
    boolean six = at instanceof Inet6Address;
    socket = check(library.socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM, 0));
    byte[] timeout = new byte[16];
    ByteBuffer.wrap(timeout).order(ByteOrder.nativeOrder()).putLong(8, MICROS);
    check(library.setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length));
    byte[] on = new byte[4];
    ByteBuffer.wrap(on).order(ByteOrder.nativeOrder()).putInt(1);
    check(
        six
            ? library.setsockopt(socket, IPPROTO_IPV6, IPV6_RECVTCLASS, on, 4)
            : library.setsockopt(socket, 0, IP_RECVTOS, on, 4));
    byte[] address = new byte[six ? 28 : 16];
    ByteBuffer to = ByteBuffer.wrap(address).order(ByteOrder.nativeOrder());
    to.putShort((short) (six ? AF_INET6 : AF_INET));
    to.order(ByteOrder.BIG_ENDIAN).putShort((short) port).putInt(six ? 0 : bits(at));
    if (six) {
      to.put(at.getAddress());
    }
    check(library.bind(socket, address, address.length));
  }

  /** A capture of all packets of the namespace, which shares their data while it is open. */
  static AutoCloseable capture() {
    LibC library = LibraryLoader.create(LibC.class).load("c");
    int protocol = Short.toUnsignedInt(Short.reverseBytes((short) ETH_P_ALL));
    int capture = check(library.socket(AF_PACKET, SOCK_RAW, protocol));
    return () -> library.close(capture);
  }

  private static int bits(InetAddress address) {
    return ByteBuffer.wrap(address.getAddress()).getInt();
  }

  private static int check(int result) {
    if (result < 0) {
      throw new IllegalStateException("a socket call failed");
    }
    return result;
  }

  /** The classes of the datagrams that come until none does for a while. */
  List<Integer> classes() {
    Pointer payload = Memory.allocateDirect(runtime, 2048, true);
    Pointer part = Memory.allocateDirect(runtime, 16, true);
    part.putAddress(0, payload.address());
    part.putLong(8, 2048);
    Pointer control = Memory.allocateDirect(runtime, CONTROL, true);
    List<Integer> classes = new ArrayList<>();
    while (true) {
      Pointer message = Memory.allocateDirect(runtime, 56, true);
      message.putAddress(16, part.address());
      message.putLong(24, 1);
      message.putAddress(32, control.address());
      message.putLong(40, CONTROL);
      if (library.recvmsg(socket, message, 0) < 0) {
        return classes;
      }
      // an IPv4 TOS is one byte, an IPv6 class an int: no byte of it is another but the lowest
      classes.add(Byte.toUnsignedInt(control.getByte(CONTROL_HEADER)));
    }
  }

  @Override
  public void close() {
    library.close(socket);
  }
}
