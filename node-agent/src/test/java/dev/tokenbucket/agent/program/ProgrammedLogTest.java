// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.tokenbucket.agent.compile.ClassifierCompiler;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.KernelException;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** The agent's log, compared with what the kernel runs. */
class ProgrammedLogTest extends KernelTest {
  private static final String NEAR = "tb-say-" + ProcessHandle.current().pid() % 100_000;
  private static final String FAR = "tb-saz-" + ProcessHandle.current().pid() % 100_000;
  private static final int EPERM = 1;
  private static final NodePolicy POLICY = Policy.packets(10, 10).on(NEAR, Direction.Ingress).at(0);

  private final Logger logger = (Logger) LoggerFactory.getLogger("dev.tokenbucket.agent");
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final LinuxKernel kernel = new LinuxKernel();
  private Path compiled = Path.of("");

  @BeforeEach
  void makeInterfacesAndListen() throws Exception {
    run("ip", "link", "add", NEAR, "type", "veth", "peer", "name", FAR);
    compiled = new ClassifierCompiler(objects).compile(List.of());
    log.start();
    logger.addAppender(log);
  }

  @AfterEach
  void removeInterfaces() throws Exception {
    logger.detachAppender(log);
    new Programmer(kernel, bpffs, compiled).removeAll();
    run("ip", "link", "del", NEAR);
  }

  private static void run(String... command) throws Exception {
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
  }

  @Test
  void aPolicyIsSaidToBeProgrammedOnceItsHookRunsIt() {
    Programmer agent = new Programmer(kernel, bpffs, compiled);
    agent.apply(List.of(POLICY));
    agent.apply(List.of(POLICY));

    assertThat(said())
        .containsSubsequence("attached to Ingress on " + NEAR, "programmed policy-0 generation 1")
        .satisfies(lines -> assertThat(lines.split("programmed policy-0", -1)).hasSize(2));
  }

  @Test
  void ofAFailedLoadNothingIsSaidButWhenItIsMendedAllIs() {
    boolean[] faulty = {true};
    Programmer agent =
        new Programmer(
            faulty("loadWithMap", faulty, new KernelException("loading", EPERM)), bpffs, compiled);

    assertThat(agent.apply(List.of(POLICY)).values()).singleElement().asString().contains("EPERM");
    assertThat(said()).isEmpty();

    faulty[0] = false;
    agent.apply(List.of(POLICY));
    assertThat(said()).contains("attached to Ingress on " + NEAR, "programmed policy-0");
  }

  @Test
  void anAttachmentThatReadBackDoesNotShowIsAnErrorAndNoneIsSaid() {
    Programmer agent =
        new Programmer(faulty("attach", new boolean[] {true}, null), bpffs, compiled);

    assertThat(agent.apply(List.of(POLICY)).values())
        .singleElement()
        .asString()
        .contains("runs no Tokenbucket program after program", "was attached");
    assertThat(said()).isEmpty();
    assertThat(agent.running()).isEmpty();
  }

  @Test
  void aReplacementThatReadBackDoesNotShowIsAnErrorAndNoneIsSaid() {
    new Programmer(kernel, bpffs, compiled).apply(List.of(POLICY));
    log.list.clear();
    Programmer agent =
        new Programmer(faulty("replace", new boolean[] {true}, null), bpffs, compiled);
    NodePolicy other = Policy.packets(20, 20).perSource(10).on(NEAR, Direction.Ingress).at(0);

    assertThat(agent.apply(List.of(other)).values())
        .singleElement()
        .asString()
        .contains("runs program");
    assertThat(said()).isEmpty();
    assertThat(agent.running()).hasSize(1);
  }

  private String said() {
    return String.join("\n", log.list.stream().map(ILoggingEvent::getFormattedMessage).toList());
  }

  /** A kernel in which one method fails, or reports success and does nothing. */
  private Kernel faulty(String at, boolean[] faulty, @Nullable RuntimeException failure) {
    return (Kernel)
        Proxy.newProxyInstance(
            Kernel.class.getClassLoader(),
            new Class<?>[] {Kernel.class},
            (proxy, method, arguments) -> {
              if (faulty[0] && method.getName().equals(at)) {
                if (failure != null) {
                  throw failure;
                }
                return null;
              }
              try {
                return method.invoke(kernel, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
