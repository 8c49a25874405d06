// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.compile.ReplayObject;
import dev.tokenbucket.agent.explain.Explainer;
import dev.tokenbucket.agent.explain.Explanation;
import dev.tokenbucket.agent.host.CommandFailure.Exit;
import dev.tokenbucket.agent.host.Preflight;
import dev.tokenbucket.agent.host.StateFiles;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.source.Documents;
import dev.tokenbucket.agent.source.InForce;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Explains what would happen to one packet. */
@Command(
    name = "explain",
    description =
        "Explains what would happen to a packet on an interface of this host, policy"
            + " by policy: the term that matches or exempts it, the bucket that judges it,"
            + " the verdict, and the tokens that would be left. Changes nothing that limits"
            + " packets.",
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {
      "0:the packet is explained, whatever its verdict",
      "1:the interface runs no Tokenbucket program, or something can't be read",
      "5:a capability is missing"
    })
public final class ExplainCommand implements Callable<Integer> {
  @Mixin private HookOptions hook = new HookOptions();

  @Mixin private PacketOptions packet = new PacketOptions();

  @Mixin private PolicyOptions policies = new PolicyOptions();

  @Mixin private TextOrJson output = new TextOrJson();

  @Mixin private HostOptions host = new HostOptions();

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    String interfaceName = hook.interfaceName();
    if (interfaceName == null && !policies.areGiven()) {
      throw new ParameterException(
          spec.commandLine(),
          "no interface is given: name one with --in or --out, or name policies to try"
              + " with --policy");
    }
    Explainer.Frame frame = packet.frame();
    Preflight.requireCapabilities();
    Kernel kernel = new LinuxKernel();
    InForce tried = policies.read(host);
    Explainer explainer = new Explainer(kernel, ReplayObject.read(), hook.direction());
    print(
        policies.areGiven() || interfaceName == null
            ? explainer.onPolicies(
                hook.chosen(tried.policies(), kernel),
                tried.failsafes(),
                packet.isEthernet(),
                frame)
            : explainer.onHook(
                interfaceName,
                host.bpffs,
                StateFiles.OBJECTS.in(host.stateDir),
                tried.policies(),
                tried.failsafes(),
                frame));
    return Exit.OK.code();
  }

  private void print(Explanation explanation) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (output.isJson()) {
      out.println(Documents.json(explanation));
    } else {
      new ExplanationText(out).print(explanation);
    }
    out.flush();
  }
}
