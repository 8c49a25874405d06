// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;

/** Hands over policies as files in an agent's folder. */
final class FolderTarget implements PolicyTarget {
  private static final Duration IN_FORCE = Duration.ofSeconds(30);

  private final Path folder;
  private final Daemon agent;
  private int heard;

  FolderTarget(Path folder, Daemon agent) {
    this.folder = folder;
    this.agent = agent;
  }

  @Override
  public void apply(Path policy) {
    heard = agent.log().length();
    String name = String.valueOf(policy.getFileName());
    Path partial = folder.resolve("." + name + ".partial");
    try {
      Files.copy(policy, partial, StandardCopyOption.REPLACE_EXISTING);
      Files.move(partial, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new StepFailedException("writing " + folder.resolve(name), e);
    }
    System.out.println("$ cp " + name + " policies/");
  }

  @Override
  public void awaitInForce(String name) {
    awaitNew("programmed " + name + " ");
  }

  private void awaitNew(String text) {
    agent.await("\"" + text + "\"", IN_FORCE, () -> agent.log().indexOf(text, heard) >= 0);
  }

  @Override
  public void remove(String name) {
    heard = agent.log().length();
    try {
      Files.delete(folder.resolve(name + ".yaml"));
    } catch (IOException e) {
      throw new StepFailedException("deleting " + name + ".yaml", e);
    }
    awaitNew("removed every map and pin");
  }

  @Override
  public void show() {}
}
