// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/** Running senders in one namespace and a receiver in another. */
public final class TrafficRun implements AutoCloseable {
  private static final long END_SECONDS = 60;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** One sender: its source address and its packets per second. */
  public record Sender(String from, int packetsPerSecond) {}

  /** The offered packets by source address, and the arrivals. */
  public record Result(Map<String, Traffic.Sent> sent, Traffic.Received received) {
    /** The packets that one source sent. */
    public long sentBy(String source) {
      Traffic.Sent there = sent.get(source);
      return there == null ? 0 : there.packets();
    }

    public double offeredPerSecond() {
      return sent.values().stream().mapToDouble(Traffic.Sent::perSecond).sum();
    }
  }

  private final Process receiver;
  private final BufferedReader receiverOutput;
  private final Map<String, Process> senders = new LinkedHashMap<>();

  private TrafficRun(Process receiver) {
    this.receiver = receiver;
    this.receiverOutput = reader(receiver);
  }

  /**
   * Starts traffic to {@code to} that is measured for {@code seconds}.
   *
   * @param sending wraps a command so that it runs at the senders' place
   * @param receiving wraps a command so that it runs at the receiver's place
   */
  public static TrafficRun start(
      UnaryOperator<List<String>> sending,
      UnaryOperator<List<String>> receiving,
      String to,
      List<Sender> senders,
      double seconds,
      boolean withArrivals) {
    List<String> receive = java("receive", to, Double.toString(seconds));
    if (withArrivals) {
      receive.add("arrivals");
    }
    TrafficRun run = new TrafficRun(process(receiving.apply(receive)));
    try {
      if (!"listening".equals(run.receiverOutput.readLine())) {
        throw new StepFailedException("the receiver at " + to + " did not start", null);
      }
      for (Sender sender : senders) {
        List<String> send =
            java(
                "send",
                to,
                sender.from(),
                Integer.toString(sender.packetsPerSecond()),
                Double.toString(seconds + 1.5));
        run.senders.put(sender.from(), process(sending.apply(send)));
      }
      return run;
    } catch (IOException | RuntimeException e) {
      run.close();
      throw new StepFailedException("traffic to " + to + ": " + e.getMessage(), e);
    }
  }

  /** Waits until the senders have ended and the receiver has received their last packets. */
  public Result result() {
    try {
      Map<String, Traffic.Sent> sent = new LinkedHashMap<>();
      for (Map.Entry<String, Process> sender : senders.entrySet()) {
        sent.put(
            sender.getKey(), JSON.readValue(line(reader(sender.getValue())), Traffic.Sent.class));
        await(sender.getValue());
      }
      Traffic.Received received = JSON.readValue(line(receiverOutput), Traffic.Received.class);
      await(receiver);
      return new Result(sent, received);
    } catch (IOException e) {
      throw new StepFailedException("traffic: " + e.getMessage(), e);
    } finally {
      close();
    }
  }

  /** Ends the senders now, and waits until the receiver has received their last packets. */
  public Traffic.Received stop() {
    senders.values().forEach(Process::destroyForcibly);
    try {
      Traffic.Received received = JSON.readValue(line(receiverOutput), Traffic.Received.class);
      await(receiver);
      return received;
    } catch (IOException e) {
      throw new StepFailedException("traffic: " + e.getMessage(), e);
    } finally {
      close();
    }
  }

  private static void await(Process process) {
    try {
      if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new StepFailedException("a sender or the receiver failed; see above", null);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StepFailedException("interrupted", e);
    }
  }

  private static String line(BufferedReader reader) throws IOException {
    String line = reader.readLine();
    if (line == null) {
      throw new StepFailedException("a sender or the receiver printed nothing; see above", null);
    }
    return line;
  }

  private static BufferedReader reader(Process process) {
    return new BufferedReader(
        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  private static List<String> java(String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Traffic.class.getName()));
    command.addAll(List.of(arguments));
    return command;
  }

  private static Process process(List<String> command) {
    try {
      return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    } catch (IOException e) {
      throw new StepFailedException(String.join(" ", command) + ": " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    receiver.destroyForcibly();
    senders.values().forEach(Process::destroyForcibly);
  }
}
