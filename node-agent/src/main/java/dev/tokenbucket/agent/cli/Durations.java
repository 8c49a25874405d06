// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Durations such as 30s, 5m and 1h. */
final class Durations implements ITypeConverter<Duration> {
  private static final Pattern FORM = Pattern.compile("([0-9]{1,6})(s|m|h)");

  @Override
  public Duration convert(String text) {
    Matcher parts = FORM.matcher(text);
    if (!parts.matches()) {
      throw wrong(text);
    }
    int number = Integer.parseInt(parts.group(1));
    if (number == 0) {
      throw wrong(text);
    }
    return switch (parts.group(2)) {
      case "s" -> Duration.ofSeconds(number);
      case "m" -> Duration.ofMinutes(number);
      default -> Duration.ofHours(number);
    };
  }

  private static TypeConversionException wrong(String text) {
    return new TypeConversionException(
        "\"%s\" must be a whole number from 1 to 999999 and a unit, s, m or h, such as 30s"
            .formatted(text));
  }
}
