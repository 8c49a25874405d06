// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator;

import dev.tokenbucket.operator.drain.DrainCommand;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.util.Arrays;

/**
 * The operator or, with the argument {@code drain} or TOKENBUCKET_MODE=drain, the program that
 * removes its work.
 */
@QuarkusMain
public final class OperatorMain {
  private static final String DRAIN = "drain";

  private OperatorMain() {}

  public static void main(String... arguments) {
    if (Arrays.asList(arguments).contains(DRAIN)
        || DRAIN.equals(System.getenv("TOKENBUCKET_MODE"))) {
      System.exit(DrainCommand.run(System.getenv(), System.out));
    }
    Quarkus.run(arguments);
  }
}
