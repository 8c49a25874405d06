// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The list of interfaces, of which the kernel's answers are exchanged for injected ones. A list
 * that is not whole is an error, for its missing interfaces would lose their limits.
 */
class NetlinkDumpTest {
  private static final int RTM_NEWLINK = 16;
  private static final int NLMSG_ERROR = 2;
  private static final int NLMSG_DONE = 3;
  private static final int NLM_F_DUMP_INTR = 0x10;
  private static final int ENOBUFS = 105;

  private int received;

  /** Reads the links from these answers in turn; the last one is repeated. */
  private int links(byte[]... answers) {
    NativeCalls calls = new NativeCalls(library -> answering(library, List.of(answers)));
    return new LinkDump(calls).devices().size();
  }

  private LibBpf answering(LibBpf library, List<byte[]> answers) {
    return (LibBpf)
        Proxy.newProxyInstance(
            LibBpf.class.getClassLoader(),
            new Class<?>[] {LibBpf.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("recv")) {
                byte[] answer = answers.get(Math.min(received++, answers.size() - 1));
                System.arraycopy(answer, 0, (byte[]) arguments[1], 0, answer.length);
                return (long) answer.length;
              }
              try {
                return method.invoke(library, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private static byte[] part(int type, int flags, int number) {
    return ByteBuffer.allocate(36)
        .order(ByteOrder.nativeOrder())
        .putInt(36)
        .putShort((short) type)
        .putShort((short) flags)
        .putInt(16, number)
        .array();
  }

  private static byte[] link(int flags) {
    byte[] name = {8, 0, 3, 0, 'e', 't', 'h', 0};
    return ByteBuffer.allocate(40)
        .order(ByteOrder.nativeOrder())
        .putInt(40)
        .putShort((short) RTM_NEWLINK)
        .putShort((short) flags)
        .putInt(20, 7)
        .position(32)
        .put(name)
        .array();
  }

  private static final byte[] DONE = part(NLMSG_DONE, 0, 0);

  @Test
  void aWholeListIsRead() {
    assertThat(links(link(0), link(0), DONE)).isEqualTo(2);
  }

  @Test
  void aListThatChangedWhileItWasReadIsReadAgain() {
    assertThat(links(link(NLM_F_DUMP_INTR), DONE, link(0), link(0), DONE)).isEqualTo(2);
  }

  @Test
  void aListThatChangesEachTimeItIsReadIsAnError() {
    assertThatThrownBy(() -> links(link(NLM_F_DUMP_INTR), part(NLMSG_DONE, NLM_F_DUMP_INTR, 0)))
        .hasMessage(
            "reading the links, at each of 5 tries, failed: EAGAIN (Resource temporarily"
                + " unavailable)");
  }

  @Test
  void anErrorOfTheKernelsEndsIt() {
    for (int type : List.of(NLMSG_ERROR, NLMSG_DONE)) {
      received = 0;
      assertThatThrownBy(() -> links(link(0), part(type, 0, -ENOBUFS)))
          .isInstanceOfSatisfying(
              KernelException.class, e -> assertThat(e.errno()).isEqualTo(ENOBUFS));
    }
  }

  @Test
  void aListThatIsCutShortIsAnError() {
    byte[] half = Arrays.copyOf(link(0), 20);
    assertThatThrownBy(() -> links(link(0), half)).hasMessageContaining("EBADMSG");
    received = 0;
    assertThatThrownBy(() -> links(link(0), new byte[0])).hasMessageContaining("EBADMSG");
  }
}
