package io.keyturn.simulation;

/** What may go wrong with a request. */
interface Weather {

  /** Nothing goes wrong. */
  Weather FAIR =
      new Weather() {
        @Override
        public void before(Call call) {}

        @Override
        public void after(Call call) {}
      };

  /** This, and then that. */
  default Weather and(Weather that) {
    return new Weather() {
      @Override
      public void before(Call call) {
        Weather.this.before(call);
        that.before(call);
      }

      @Override
      public void after(Call call) {
        Weather.this.after(call);
        that.after(call);
      }
    };
  }

  /** Before the request reaches the API server; what is thrown keeps it from getting there. */
  void before(Call call);

  /** After the request has taken effect; what is thrown takes the place of the answer. */
  void after(Call call);
}
