// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.compile.ClassifierCompiler;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Filters and qdiscs of others, where ours would be. */
class ClsactFiltersTest extends KernelTest {
  private static final String NEAR = "tb-clsn-" + ProcessHandle.current().pid() % 100_000;
  private static final String FAR = "tb-clsf-" + ProcessHandle.current().pid() % 100_000;
  private static final NodePolicy POLICY = Policy.packets(10, 10).on(NEAR, Direction.Ingress).at(0);

  private Path compiled = Path.of("");

  @BeforeEach
  void makeInterfaces() throws Exception {
    run("ip", "link", "add", NEAR, "type", "veth", "peer", "name", FAR);
    compiled = new ClassifierCompiler(objects).compile(List.of());
  }

  @AfterEach
  void removeInterfaces() throws Exception {
    agent().removeAll();
    run("ip", "link", "del", NEAR);
  }

  private static String run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }

  private Programmer agent() {
    return new Programmer(new LinuxKernel(true), bpffs, compiled);
  }

  private static String filters() throws Exception {
    return run("tc", "filter", "show", "dev", NEAR, "ingress");
  }

  /** Both filters have the same priority and handle, so the kernel can't hold both. */
  private void addAnothers() throws Exception {
    LinuxKernel kernel = new LinuxKernel();
    Path folder = Files.createDirectory(bpffs.resolve("another"));
    Path pin = folder.resolve("program");
    int program =
        kernel.load(
            compiled.resolve("classifier.bpf.o"),
            "tokenbucket",
            new Pins(folder).ofClassifier(folder),
            Map.of());
    kernel.pin(program, pin);
    kernel.close(program);
    run(
        "tc",
        "filter",
        "add",
        "dev",
        NEAR,
        "ingress",
        "prio",
        "1",
        "handle",
        "0x7b",
        "protocol",
        "all",
        "bpf",
        "direct-action",
        "object-pinned",
        pin.toString());
  }

  @Test
  void anothersFilterInOurPlaceIsNeitherTakenForOursNorRemoved() throws Exception {
    run("tc", "qdisc", "add", "dev", NEAR, "clsact");
    addAnothers();
    String before = filters();

    assertThat(agent().apply(List.of(POLICY)).get(POLICY.uid()))
        .startsWith(NEAR + " Ingress: attaching a clsact filter, Ingress failed: EEXIST");
    assertThat(agent().running()).isEmpty();
    agent().removeAll();

    assertThat(filters()).isEqualTo(before);
    assertThat(bpffs.resolve("tokenbucket")).doesNotExist();
  }

  /** Ours was taken away and another put in its place, while its program stays pinned. */
  @Test
  void aFilterThatTookThePlaceOfOursIsLeftThere() throws Exception {
    assertThat(agent().apply(List.of(POLICY))).isEmpty();
    run("tc", "filter", "del", "dev", NEAR, "ingress");
    addAnothers();
    String before = filters();

    assertThat(agent().apply(List.of(POLICY))).containsOnlyKeys(POLICY.uid());
    assertThat(agent().apply(List.of())).isEmpty();

    assertThat(filters()).isEqualTo(before);
    assertThat(bpffs.resolve("tokenbucket")).doesNotExist();
  }

  @Test
  void aQdiscOfAnothersStays() throws Exception {
    run("tc", "qdisc", "add", "dev", NEAR, "clsact");
    assertThat(agent().apply(List.of(POLICY))).isEmpty();
    assertThat(agent().apply(List.of())).isEmpty();

    assertThat(run("tc", "qdisc", "show", "dev", NEAR)).contains("clsact");
  }
}
