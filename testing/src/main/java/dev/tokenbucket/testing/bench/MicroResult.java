package dev.tokenbucket.testing.bench;

import dev.tokenbucket.testing.kernel.ProgramRuns;
import java.util.List;

/**
 * What a packet costs. Net is a program's median less the empty program's.
 *
 * @param programs all that were measured
 * @param perPacket the table of keys and verdicts
 * @param further what comes on top with many policies or CIDRs
 * @param cpus throughput of two CPUs over that of one
 */
record MicroResult(
    List<Program> programs, List<PerPacket> perPacket, List<Further> further, List<Cpus> cpus) {

  /** A program; {@code nanos} a packet. */
  record Program(String name, Spread nanos, ProgramRuns.Size size) {}

  /** A key and verdict; {@code net} and {@code textbookNet} in nanoseconds. */
  record PerPacket(
      String key,
      Subject.Expected verdict,
      Spread nanos,
      double net,
      double textbookNet,
      double ratio,
      double clocks,
      Key.Goal goal,
      boolean ratioMet,
      boolean clocksMet) {

    static PerPacket of(
        Key key,
        Subject.Expected verdict,
        Spread ours,
        Spread textbook,
        Spread empty,
        Spread clock) {
      double net = ours.median() - empty.median();
      double textbookNet = textbook.median() - empty.median();
      double ratio = textbookNet / net;
      double clocks = net / (clock.median() - empty.median());
      Key.Goal goal = key.goal(verdict);
      return new PerPacket(
          key.title(),
          verdict,
          ours,
          net,
          textbookNet,
          ratio,
          clocks,
          goal,
          ratio >= goal.ratio(),
          clocks <= goal.clocks());
    }
  }

  /** What something adds to a packet's cost, and what it may add, in nanoseconds. */
  record Further(String what, double added, double most, String mostIs, boolean met) {
    static Further of(String what, Spread with, Spread without, double most, String mostIs) {
      double added = with.median() - without.median();
      return new Further(what, added, most, mostIs, added <= most);
    }
  }

  /**
   * A program on two CPUs at once.
   *
   * @param throughput packets a second of both over those of one, round by round
   * @param goal at least, of the median; zero where there is none
   */
  record Cpus(String program, Spread throughput, double goal, boolean met) {
    static Cpus of(String program, Spread throughput, double goal) {
      return new Cpus(program, throughput, goal, throughput.median() >= goal);
    }
  }
}
