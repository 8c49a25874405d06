package dev.tokenbucket.agent.probe;

/** What a hook found wrong; the message is for the one who ran Helm. */
final class ProbeException extends RuntimeException {
  private static final long serialVersionUID = 1;

  ProbeException(String message) {
    super(message);
  }
}
