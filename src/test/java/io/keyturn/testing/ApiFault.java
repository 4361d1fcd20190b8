package io.keyturn.testing;

import java.util.EnumSet;
import java.util.Set;

/** One thing that goes wrong between a client and the API server, at one request. */
public enum ApiFault {
  /** The request arrives late. */
  DELAYED(
      "a request is up to 1.5 s late",
      "wait; a late write fails if something has changed",
      Request.READ,
      Request.LIST,
      Request.WRITE),
  /** The connection breaks before the request is forwarded. */
  REQUEST_LOST(
      "the connection breaks before the request arrives",
      "ask again",
      Request.READ,
      Request.LIST,
      Request.WATCH,
      Request.WRITE),
  /** The request takes effect, and the connection breaks before the answer. */
  ANSWER_LOST(
      "the request takes effect and its answer is lost",
      "look again, and find what it has done itself",
      Request.READ,
      Request.LIST,
      Request.WRITE),
  /** The credentials are refused for once. */
  UNAUTHORIZED(
      "401", "read its credentials again, and ask again", 401, "Unauthorized", Request.values()),
  /** A role or a policy of the cluster refuses the request for now. */
  FORBIDDEN(
      "403",
      "a write: say so on the object and try again after 30 s; else ask again",
      403,
      "Forbidden",
      Request.values()),
  /** Somebody else was faster, or so the server says. */
  CONFLICT("409", "look again", 409, "Conflict", Request.WRITE),
  /** What a list goes on from is no longer kept. */
  GONE("410 to a list or a watch", "list anew", 410, "Expired", Request.LIST, Request.WATCH),
  /** The server wants fewer requests. */
  THROTTLED(
      "429 with Retry-After",
      "wait as long as it is told",
      429,
      "TooManyRequests",
      Request.values()),
  /** The server fails. */
  ERROR("500", "ask again, with backoff", 500, "InternalError", Request.values()),
  /** The server is not there. */
  UNAVAILABLE("503", "ask again, with backoff", 503, "ServiceUnavailable", Request.values()),
  /** A watch breaks off, often in the middle of an event. */
  WATCH_CUT("a watch breaks off in the middle", "watch on from where it was", Request.WATCH),
  /** A watch stays open and is silent, and breaks off later. */
  WATCH_SILENT(
      "a watch is silent for seconds, then breaks off",
      "go on by what it reads itself, later",
      Request.WATCH),
  /** A watch ends with an event that says that its history is no longer kept. */
  WATCH_GONE("a watch ends with 410", "list anew", Request.WATCH),
  /** The list that fills a cache is older than one that was answered before. */
  OLD_LIST(
      "the list that fills a cache at the start is an earlier one",
      "decide by what it reads itself, not by its cache",
      Request.LIST),
  /** A read says what was there before, as no API server may. */
  OLD_READ("a read is answered with an earlier state", "fail to write by it", Request.READ);

  /** What is asked of the API server. */
  enum Request {
    /** An object, or a list that is looked at now. */
    READ,
    /** A page of a list that fills a cache. */
    LIST,
    /** A stream of events. */
    WATCH,
    /** Anything else. */
    WRITE
  }

  private final String sentence;
  private final String expected;
  private final int code;
  private final String reason;
  private final Set<Request> requests;

  ApiFault(String sentence, String expected, Request... requests) {
    this(sentence, expected, 0, "", requests);
  }

  ApiFault(String sentence, String expected, int code, String reason, Request... requests) {
    this.sentence = sentence;
    this.expected = expected;
    this.code = code;
    this.reason = reason;
    this.requests = EnumSet.of(requests[0], requests);
  }

  /** What happens, for people. */
  public String sentence() {
    return sentence;
  }

  /** What the operator is to do about it, for people. */
  public String expected() {
    return expected;
  }

  /** Whether the proxy answers in the server's place. */
  boolean isAnswer() {
    return code > 0;
  }

  boolean strikes(Request request) {
    return requests.contains(request);
  }

  /** The status that is answered, as the API server words it. */
  HttpMessage answer() {
    HttpMessage answer =
        HttpMessage.json(
            "HTTP/1.1 %d %s".formatted(code, reason), status(code, reason, "by a fault"));
    return this == THROTTLED ? answer.with("Retry-After", "1") : answer;
  }

  /** The event that ends a watch. */
  static String goneEvent() {
    return "{\"type\":\"ERROR\",\"object\":%s}\n"
        .formatted(status(410, "Expired", "too old resource version"));
  }

  private static String status(int code, String reason, String message) {
    return """
    {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"%s",\
    "reason":"%s","code":%d}\
    """
        .formatted(message, reason, code);
  }
}
