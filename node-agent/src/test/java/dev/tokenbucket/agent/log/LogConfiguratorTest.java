// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.log;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;

class LogConfiguratorTest {
  private static final String TIME = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}(Z|[+-].*)";

  @Test
  void aLineHasTimeLevelAndMessage() {
    assertThat(written(Map.of(), log -> log.info("attached to {}", "eth0")))
        .matches(TIME + " INFO  attached to eth0\n");
    assertThat(written(Map.of(), log -> log.error("refused"))).matches(TIME + " ERROR refused\n");
  }

  @Test
  void anExceptionIsTwoLinesWithItsCause() {
    Exception thrown = new IllegalStateException("no room", new IOException("disk full"));
    assertThat(written(Map.of(), log -> log.warn("failed", thrown)).lines().toList())
        .hasSize(3)
        .anyMatch(line -> line.startsWith("  java.lang.IllegalStateException: no room at "))
        .anyMatch(line -> line.startsWith("  caused by java.io.IOException: disk full at "));
  }

  @Test
  void eachLineIsAnObjectWhereJsonIsAskedFor() {
    assertThat(
            written(
                Map.of("TOKENBUCKET_LOG_FORMAT", "json"), log -> log.info("a \"{}\"", "quoted")))
        .startsWith("{")
        .contains("\"level\":\"INFO\"", "\"formattedMessage\":\"a \\\"quoted\\\"\"")
        .endsWith("}\n");
  }

  @Test
  void theLevelIsInfoUnlessAnotherIsAskedFor() {
    assertThat(written(Map.of(), log -> log.debug("details"))).isEmpty();
    assertThat(written(Map.of("TOKENBUCKET_LOG_LEVEL", "DEBUG"), log -> log.debug("details")))
        .endsWith("details\n");
  }

  @Test
  void logbackFindsIt() {
    assertThat(ServiceLoader.load(Configurator.class))
        .hasAtLeastOneElementOfType(LogConfigurator.class);
  }

  private static String written(Map<String, String> environment, Consumer<Logger> use) {
    PrintStream before = System.err;
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    System.setErr(new PrintStream(written, true, StandardCharsets.UTF_8));
    LoggerContext context = new LoggerContext();
    context.setMDCAdapter(new LogbackMDCAdapter());
    try {
      new LogConfigurator(environment).configure(context);
      use.accept(context.getLogger("dev.tokenbucket.test"));
    } finally {
      context.stop();
      System.setErr(before);
    }
    return written.toString(StandardCharsets.UTF_8);
  }
}
