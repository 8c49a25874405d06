package dev.tokenbucket.testing.bench;

import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.tokenbucket.agent.compile.ClassifierCompiler;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.testing.StepFailedException;
import dev.tokenbucket.testing.bench.BenchOptions.Part;
import dev.tokenbucket.testing.kernel.ProgramRuns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The bench itself; runs in a network namespace that {@link Bench} made for it. */
@Command(name = "bench-run")
final class BenchRun implements Callable<Integer> {
  @Mixin private BenchOptions options = new BenchOptions();

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
    BenchResult result =
        new BenchResult(machine, options.parts.contains(Part.MICRO) ? micro() : null);
    String tables = Report.markdown(result);
    System.out.print(tables);
    write(result);
    if (options.page != null) {
      Files.writeString(options.page, Report.replaced(Files.readString(options.page), tables));
    }
    return 0;
  }

  private MicroResult micro() {
    LinuxKernel kernel = new LinuxKernel();
    ProgramRuns runs = new ProgramRuns();
    Path objects = bpffs.resolveSibling("objects");
    Path classifier = new ClassifierCompiler(objects).compile(java.util.List.of());
    try (BenchPrograms programs = new BenchPrograms(kernel, objects, bpffs);
        Classifiers classifiers = new Classifiers(kernel, runs, classifier, bpffs)) {
      return new MicroBench(runs, programs, classifiers, options.rounds, options.each()).run();
    }
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
