// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ConfiguratorRank;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import ch.qos.logback.core.spi.ContextAwareBase;
import java.time.ZoneId;
import java.util.Map;
import org.slf4j.LoggerFactory;

/**
 * Sends log lines to standard error: as text, or as JSON if {@code TOKENBUCKET_LOG_FORMAT} is
 * {@code json}. {@code TOKENBUCKET_LOG_LEVEL} is the lowest level written, by default INFO. Logback
 * finds this class as a service. An XML file would do the same at the cost of 400 more classes per
 * agent.
 */
@ConfiguratorRank(ConfiguratorRank.CUSTOM_HIGH_PRIORITY)
public final class LogConfigurator extends ContextAwareBase implements Configurator {
  private static final String FORMAT = "TOKENBUCKET_LOG_FORMAT";
  private static final String LEVEL = "TOKENBUCKET_LOG_LEVEL";

  private static final String CONSOLE = "console";
  private static final String OURS = "dev.tokenbucket";

  private final Map<String, String> environment;

  /** For logback. */
  public LogConfigurator() {
    this(System.getenv());
  }

  LogConfigurator(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setContext(context);
    appender.setName(CONSOLE);
    appender.setTarget("System.err");
    appender.setEncoder(
        encoder(context, "json".equals(environment.get(FORMAT)) ? LogFormat.JSON : LogFormat.TEXT));
    appender.start();
    context.getLogger("ROOT").addAppender(appender);
    context.getLogger("ROOT").setLevel(Level.WARN);
    context.getLogger(OURS).setLevel(Level.toLevel(environment.get(LEVEL), Level.INFO));
    // These loggers report each failed try with a stack trace; ApiTrouble reports once, and says
    // what to do.
    context.getLogger("io.fabric8.kubernetes.client").setLevel(Level.OFF);
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }

  /** Writes lines in this format from now on, regardless of the environment. */
  public static void use(LogFormat format) {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    Appender<ILoggingEvent> appender = context.getLogger("ROOT").getAppender(CONSOLE);
    if (appender instanceof ConsoleAppender<ILoggingEvent> console) {
      console.setEncoder(encoder(context, format));
    }
  }

  /** Writes lines from this level upwards from now on, regardless of the environment. */
  public static void use(LogLevel level) {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.getLogger(OURS).setLevel(Level.toLevel(level.name()));
  }

  private static Encoder<ILoggingEvent> encoder(LoggerContext context, LogFormat format) {
    Encoder<ILoggingEvent> encoder =
        switch (format) {
          case JSON -> json();
          case TEXT -> text(context);
        };
    encoder.setContext(context);
    encoder.start();
    return encoder;
  }

  private static Encoder<ILoggingEvent> json() {
    JsonEncoder encoder = new JsonEncoder();
    encoder.setWithSequenceNumber(false);
    encoder.setWithContext(false);
    encoder.setWithMDC(false);
    encoder.setWithMessage(false);
    encoder.setWithArguments(false);
    encoder.setWithFormattedMessage(true);
    return encoder;
  }

  private static Encoder<ILoggingEvent> text(LoggerContext context) {
    TextLayout layout = new TextLayout(ZoneId.systemDefault());
    layout.setContext(context);
    layout.start();
    LayoutWrappingEncoder<ILoggingEvent> encoder = new LayoutWrappingEncoder<>();
    encoder.setLayout(layout);
    return encoder;
  }
}
