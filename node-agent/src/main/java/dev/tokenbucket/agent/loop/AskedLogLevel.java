// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.loop;

import dev.tokenbucket.agent.host.StateFiles;
import dev.tokenbucket.agent.log.LogConfigurator;
import dev.tokenbucket.agent.log.LogLevel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The log level that {@code tb log-level} asks of the running agent. */
public final class AskedLogLevel {
  private static final Logger LOG = LoggerFactory.getLogger(AskedLogLevel.class);

  private final Path stateDir;
  private List<String> last = List.of();

  /** Discards a request that was meant for an earlier agent. */
  public AskedLogLevel(Path stateDir) throws IOException {
    this.stateDir = stateDir;
    Files.deleteIfExists(StateFiles.LOG_LEVEL.in(stateDir));
  }

  /** Applies a request that has arrived since the last call. */
  void follow() throws IOException {
    List<String> asked = StateFiles.LOG_LEVEL.lines(stateDir);
    if (asked.equals(last) || asked.isEmpty()) {
      return;
    }
    last = asked;
    try {
      LogConfigurator.use(LogLevel.valueOf(asked.get(0)));
      LOG.info("the log level is {} until the agent ends", asked.get(0));
    } catch (IllegalArgumentException e) {
      LOG.warn("{} does not name a log level: {}", StateFiles.LOG_LEVEL.in(stateDir), asked.get(0));
    }
  }
}
