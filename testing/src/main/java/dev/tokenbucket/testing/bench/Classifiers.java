// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.program.Programmer;
import dev.tokenbucket.agent.program.RunningHook;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.StepFailedException;
import dev.tokenbucket.testing.bench.Subject.Counted;
import dev.tokenbucket.testing.bench.Subject.Expected;
import dev.tokenbucket.testing.kernel.ProgramRuns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The classifier as the agent loads and attaches it. Each set of policies has its own interface and
 * maps. The measured program is the attached program itself.
 */
final class Classifiers implements AutoCloseable {
  private final LinuxKernel kernel;
  private final ProgramRuns runs;
  private final Path objects;
  private final Path bpffs;
  private final List<Integer> descriptors = new ArrayList<>();
  private final List<Programmer> programmers = new ArrayList<>();

  /**
   * @param objects the folder with the compiled classifier
   * @param bpffs a folder on a BPF file system
   */
  Classifiers(LinuxKernel kernel, ProgramRuns runs, Path objects, Path bpffs) {
    this.kernel = kernel;
    this.runs = runs;
    this.objects = objects;
    this.bpffs = bpffs;
  }

  /**
   * The classifier with a set of policies, on an interface created for it.
   *
   * @param policies creates the policies from the interface's name; the policy named {@code
   *     measured} judges the packets
   */
  Subject on(String name, Expected expected, Function<String, List<NodePolicy>> policies) {
    String interfaceName = "bench" + programmers.size();
    Commands.run(
        "ip",
        "link",
        "add",
        interfaceName,
        "type",
        "veth",
        "peer",
        "name",
        interfaceName + "-peer");
    Commands.run("ip", "link", "set", interfaceName, "up");
    return attached(name, expected, policies.apply(interfaceName));
  }

  /** The classifier with policies that name an existing interface. */
  Subject attached(String name, Expected expected, List<NodePolicy> policies) {
    Path folder = bpffs.resolve("classifier-" + programmers.size());
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new StepFailedException("making " + folder, e);
    }
    Programmer programmer = new Programmer(kernel, folder, objects);
    programmers.add(programmer);
    Map<String, String> failures = programmer.apply(policies);
    if (!failures.isEmpty()) {
      throw new StepFailedException(name + ": " + failures, null);
    }
    int program = runs.open(onlyHook(programmer).programId());
    descriptors.add(program);
    return new Subject(name, program, expected, () -> counted(programmer));
  }

  private static RunningHook onlyHook(Programmer programmer) {
    List<RunningHook> hooks = programmer.running();
    if (hooks.size() != 1) {
      throw new StepFailedException("one hook was programmed, there are " + hooks, null);
    }
    return hooks.get(0);
  }

  private static Counted counted(Programmer programmer) {
    return onlyHook(programmer).policies().stream()
        .filter(policy -> policy.name().equals(BenchPolicies.MEASURED))
        .map(policy -> new Counted(policy.conformPackets(), policy.exceedPackets()))
        .findFirst()
        .orElseThrow(() -> new StepFailedException("the policy measured does not run", null));
  }

  @Override
  public void close() {
    descriptors.forEach(runs::close);
    programmers.forEach(Programmer::removeAll);
  }
}
