// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** The source addresses of a flood. All counts are powers of two. */
enum Sources {
  ONE(1),
  THOUSAND(1 << 10),
  /** As many as a table of the default capacity holds. */
  TABLE(1 << 16),
  MILLION(1 << 20),
  /** Any IPv4 address, at random; the others are used in turn. */
  RANDOM(1L << 32);

  private final long count;

  Sources(long count) {
    this.count = count;
  }

  long count() {
    return count;
  }

  /** As the tables have it. */
  @JsonValue
  String text() {
    return this == RANDOM ? "random" : String.format(Locale.ROOT, "%,d", count);
  }
}
