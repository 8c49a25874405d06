// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.log;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import ch.qos.logback.core.LayoutBase;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;

/**
 * One line per event: time, level, message. Then one line per exception: its class, its message,
 * and where it was thrown.
 */
final class TextLayout extends LayoutBase<ILoggingEvent> {
  private static final int LEVEL_WIDTH = 5;

  private final DateTimeFormatter time;

  TextLayout(ZoneId zone) {
    time = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSXXX").withZone(zone);
  }

  @Override
  public String doLayout(ILoggingEvent event) {
    String level = event.getLevel().toString();
    StringBuilder line = new StringBuilder();
    time.formatTo(event.getInstant(), line);
    line.append(' ').append(level).append(" ".repeat(LEVEL_WIDTH - level.length()));
    line.append(' ').append(event.getFormattedMessage()).append('\n');
    appendCauses(event.getThrowableProxy(), line);
    return line.toString();
  }

  private static void appendCauses(@Nullable IThrowableProxy thrown, StringBuilder line) {
    for (IThrowableProxy each = thrown; each != null; each = each.getCause()) {
      line.append(each == thrown ? "  " : "  caused by ")
          .append(each.getClassName())
          .append(": ")
          .append(each.getMessage());
      StackTraceElementProxy[] frames = each.getStackTraceElementProxyArray();
      if (frames.length > 0) {
        line.append(' ').append(frames[0].getSTEAsString());
      }
      line.append('\n');
    }
  }
}
