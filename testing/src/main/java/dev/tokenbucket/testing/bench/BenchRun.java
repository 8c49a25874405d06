// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.tokenbucket.agent.compile.ClassifierCompiler;
import dev.tokenbucket.agent.kernel.HookPoint;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.program.Programmer;
import dev.tokenbucket.api.v1alpha1.Hook;
import dev.tokenbucket.testing.StepFailedException;
import dev.tokenbucket.testing.bench.BenchOptions.Part;
import dev.tokenbucket.testing.kernel.ProgramRuns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The bench itself, which runs in a network namespace that {@link Bench} created for it. */
@Command(name = "bench-run")
final class BenchRun implements Callable<Integer> {
  @Mixin private BenchOptions options = new BenchOptions();

  private final LinuxKernel kernel = new LinuxKernel();
  private final ProgramRuns runs = new ProgramRuns();

  @Option(names = "--bpffs", required = true)
  private Path bpffs = Path.of("");

  public static void main(String[] arguments) {
    System.exit(
        new CommandLine(new BenchRun())
            .setExecutionExceptionHandler(
                (failure, line, parsed) -> {
                  if (failure instanceof StepFailedException) {
                    System.err.println("bench: " + failure.getMessage());
                    return 1;
                  }
                  throw failure;
                })
            .execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    BenchResult.Machine machine = BenchResult.Machine.here(options.rounds, options.millis);
    System.out.println(machine.text() + "\n");
    MicroResult micro = options.parts.contains(Part.MICRO) ? micro() : null;
    if (micro != null) {
      System.out.print(Report.markdown(micro));
    }
    EndToEndResult endToEnd = options.parts.contains(Part.END_TO_END) ? endToEnd() : null;
    if (endToEnd != null) {
      System.out.print(Report.markdown(endToEnd));
    }
    BenchResult result = new BenchResult(machine, micro, endToEnd);
    write(result);
    if (options.page != null) {
      Files.writeString(
          options.page, Report.replaced(Files.readString(options.page), Report.markdown(result)));
    }
    return 0;
  }

  private MicroResult micro() {
    try (BenchPrograms programs = new BenchPrograms(kernel, objects(), bpffs);
        Classifiers classifiers = new Classifiers(kernel, runs, compiled(), bpffs)) {
      return new MicroBench(runs, programs, classifiers, options.rounds, options.each()).run();
    }
  }

  private EndToEndResult endToEnd() {
    FloodedInterface flooded = FloodedInterface.make();
    String name = FloodedInterface.NAME;
    Programmer node = programmer("flooded-node");
    Programmer source = programmer("flooded-source");
    try (BenchPrograms programs = new BenchPrograms(kernel, objects(), bpffs)) {
      int sender = kernel.interfaceIndex(FloodedInterface.SENDER).orElseThrow();
      int limited = kernel.interfaceIndex(name).orElseThrow();
      EndToEnd.Limiters limiters =
          new EndToEnd.Limiters(
              List.of(
                  Limiter.none(),
                  Limiter.drop(
                      "drop everything at tc",
                      kernel,
                      programs.drop(),
                      limited,
                      HookPoint.INGRESS,
                      bpffs.resolve("drop"))),
              Limiter.drop(
                  "drop everything at XDP",
                  kernel,
                  programs.dropAtXdp(),
                  limited,
                  HookPoint.XDP,
                  bpffs.resolve("drop-at-xdp")),
              Limiter.classifier("ours, node-wide", node, name, Hook.TC, "per: Node"),
              Limiter.nftables("nftables limit", name, "", Limiter.LIMIT + " drop"),
              Limiter.classifier("ours, per source", source, name, Hook.TC, "per: SourceIP"),
              Limiter.classifier(
                  "ours at XDP, per source", source, name, Hook.XDP, "per: SourceIP"),
              Limiter.classifier(
                  "ours, per source, EvictOldest",
                  source,
                  name,
                  Hook.TC,
                  "per: SourceIP, onFull: EvictOldest"),
              List.of(
                  Limiter.nftables(
                      "nftables set with limit",
                      name,
                      "set sources { type ipv4_addr; size 65536; flags dynamic; }",
                      "add @sources { ip saddr " + Limiter.LIMIT + " } drop"),
                  Limiter.hashlimit("iptables hashlimit", name)));
      EndToEnd bench = new EndToEnd(runs, flooded, options.rounds, options.each());
      Map<Sources, Integer> senders = new EnumMap<>(Sources.class);
      for (Sources sources : Sources.values()) {
        senders.put(sources, programs.flood(sender, sources));
      }
      return Pinned.start(runs, 0, () -> bench.run(limiters, senders)).result();
    }
  }

  private Programmer programmer(String folder) {
    try {
      return new Programmer(kernel, Files.createDirectories(bpffs.resolve(folder)), compiled());
    } catch (IOException e) {
      throw new StepFailedException("making " + folder, e);
    }
  }

  private Path objects() {
    return bpffs.resolveSibling("objects");
  }

  private Path compiled() {
    return new ClassifierCompiler(objects()).compile(List.of());
  }

  private void write(BenchResult result) throws IOException {
    Path json = options.json.toAbsolutePath();
    Files.createDirectories(json.getParent());
    JsonMapper.builder()
        .addModule(new JavaTimeModule())
        .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
        .enable(SerializationFeature.INDENT_OUTPUT)
        .build()
        .writeValue(json.toFile(), result);
    System.out.println("results: " + json);
  }
}
