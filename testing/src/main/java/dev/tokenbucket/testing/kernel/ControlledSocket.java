// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.kernel;

import dev.tokenbucket.testing.StepFailedException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Optional;
import jnr.constants.platform.Errno;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/**
 * A UDP socket that returns the kernel's control message with each datagram, which Java's sockets
 * do not: its arrival time or its traffic class.
 */
public final class ControlledSocket implements AutoCloseable {
  private static final int AF_INET = 2;
  private static final int AF_INET6 = 10;
  private static final int SOCK_DGRAM = 2;
  private static final int SOL_SOCKET = 1;
  private static final int SO_RCVTIMEO = 20;
  private static final int SO_RCVBUFFORCE = 33;

  // struct msghdr and struct cmsghdr
  private static final int MESSAGE = 56;
  private static final int CONTROL = 64;
  private static final int CONTROL_HEADER = 16;

  private static final int NAME = 28;
  private static final int PAYLOAD = 2048;

  /** The functions used of libc. */
  public interface LibC {
    int socket(int domain, int type, int protocol);

    int bind(int fd, byte[] address, int length);

    int setsockopt(int fd, int level, int name, byte[] value, int length);

    long recvmsg(int fd, Pointer message, int flags);

    int close(int fd);
  }

  /** The control messages that a socket may request. */
  public enum Tells {
    /** SO_TIMESTAMPNS: a struct timespec, CLOCK_REALTIME. */
    ARRIVAL(SOL_SOCKET, 35),
    /** IP_RECVTOS: the TOS byte. */
    IPV4_CLASS(0, 13),
    /** IPV6_RECVTCLASS: an int. */
    IPV6_CLASS(41, 66);

    private final int level;
    private final int option;

    Tells(int level, int option) {
      this.level = level;
      this.option = option;
    }
  }

  /**
   * A datagram.
   *
   * @param control the control message's data, in the host's byte order
   */
  public record Datagram(InetAddress from, ByteBuffer control) {}

  private final LibC library = LibraryLoader.create(LibC.class).load("c");
  private final Runtime runtime = Runtime.getRuntime(library);
  private final Pointer name = Memory.allocateDirect(runtime, NAME, true);
  private final Pointer control = Memory.allocateDirect(runtime, CONTROL, true);
  private final Pointer payload = Memory.allocateDirect(runtime, PAYLOAD, true);
  private final Pointer part = Memory.allocateDirect(runtime, 16, true);
  private final Pointer message = Memory.allocateDirect(runtime, MESSAGE, true);
  private final boolean six;
  private final int socket;

  /**
   * @param buffer the size of the receive buffer in bytes; setting it needs root
   */
  public ControlledSocket(InetSocketAddress at, Tells tells, int buffer) {
    six = at.getAddress() instanceof Inet6Address;
    socket = check("socket", library.socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM, 0));
    set(tells.level, tells.option, 1);
    set(SOL_SOCKET, SO_RCVBUFFORCE, buffer);
    byte[] address = encode(at);
    check("bind", library.bind(socket, address, address.length));
    part.putAddress(0, payload.address());
    part.putLong(8, PAYLOAD);
  }

  private void set(int level, int option, int value) {
    byte[] bytes = new byte[Integer.BYTES];
    host(bytes).putInt(value);
    set(level, option, bytes);
  }

  private void set(int level, int option, byte[] value) {
    check("setsockopt", library.setsockopt(socket, level, option, value, value.length));
  }

  private static ByteBuffer host(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
  }

  /** struct sockaddr_in or sockaddr_in6. */
  private byte[] encode(InetSocketAddress at) {
    byte[] address = new byte[six ? NAME : 16];
    ByteBuffer fields = host(address).putShort((short) (six ? AF_INET6 : AF_INET));
    fields.order(ByteOrder.BIG_ENDIAN).putShort((short) at.getPort());
    fields.position(addressAt()).put(at.getAddress().getAddress());
    return address;
  }

  private int addressAt() {
    return six ? 8 : 4;
  }

  private int check(String call, int result) {
    if (result < 0) {
      throw failed(call);
    }
    return result;
  }

  private StepFailedException failed(String call) {
    return new StepFailedException(call + ": " + Errno.valueOf(runtime.getLastError()), null);
  }

  /** Sets how long {@link #receive} waits. */
  public void waitAtMost(Duration time) {
    byte[] timeval = new byte[16];
    host(timeval).putLong(time.toSeconds()).putLong(time.toNanosPart() / 1000);
    set(SOL_SOCKET, SO_RCVTIMEO, timeval);
  }

  /** The next datagram; empty if none arrives in time. */
  public Optional<Datagram> receive() {
    while (true) {
      message.putAddress(0, name.address());
      message.putInt(8, NAME);
      message.putAddress(16, part.address());
      message.putLong(24, 1);
      message.putAddress(32, control.address());
      message.putLong(40, CONTROL);
      if (library.recvmsg(socket, message, 0) >= 0) {
        return Optional.of(new Datagram(sender(), control()));
      }
      Errno error = Errno.valueOf(runtime.getLastError());
      if (error == Errno.EAGAIN) {
        return Optional.empty();
      }
      if (error != Errno.EINTR) {
        throw failed("recvmsg");
      }
    }
  }

  private InetAddress sender() {
    byte[] address = new byte[six ? 16 : 4];
    name.get(addressAt(), address, 0, address.length);
    try {
      return InetAddress.getByAddress(address);
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }

  private ByteBuffer control() {
    byte[] data = new byte[(int) Math.max(0, control.getLong(0) - CONTROL_HEADER)];
    control.get(CONTROL_HEADER, data, 0, data.length);
    return host(data);
  }

  @Override
  public void close() {
    library.close(socket);
  }
}
