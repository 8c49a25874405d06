// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import dev.tokenbucket.testing.kernel.ProgramRuns;
import java.util.List;

/**
 * The cost of a packet. Net is a program's median minus that of the empty program.
 *
 * @param programs all measured programs
 * @param perPacket the table of keys and verdicts
 * @param further the additional cost of many policies or CIDRs
 * @param cpus the throughput of two CPUs over that of one
 */
record MicroResult(
    List<Program> programs, List<PerPacket> perPacket, List<Further> further, List<Cpus> cpus) {

  /** A program; {@code nanos} is its time per packet. */
  record Program(String name, Spread nanos, ProgramRuns.Size size) {}

  /** A key and a verdict; {@code net} and {@code textbookNet} are in nanoseconds. */
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

  /** An addition to a packet's cost, and the most that it may be, in nanoseconds. */
  record Further(String what, double added, double most, String mostIs, boolean met) {
    static Further of(String what, Spread with, Spread without, double most, String mostIs) {
      double added = with.median() - without.median();
      return new Further(what, added, most, mostIs, added <= most);
    }
  }

  /**
   * A program on two CPUs at once.
   *
   * @param throughput packets per second of both CPUs over those of one, round by round
   * @param goal the least median; zero if there is no goal
   */
  record Cpus(String program, Spread throughput, double goal, boolean met) {
    static Cpus of(String program, Spread throughput, double goal) {
      return new Cpus(program, throughput, goal, throughput.median() >= goal);
    }
  }
}
