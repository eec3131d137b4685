/** Forms that are sent by script: once, however often the button is pressed, with what was wrong shown below. */

import { clearProblems, showProblems } from "./problems.js";

/** Lets `act` send the form. What it raises is shown; until it is done, and after it went well, the button rests. */
export function onSubmit(form, act) {
  const errors = form.querySelector("[data-errors]");
  const button = form.querySelector("button[type=submit]");
  const rest = (isResting) => {
    button.disabled = isResting;
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    rest(true);
    clearProblems(errors);
    try {
      await act();
      // The next page comes now; whoever returns from it finds the button as it was.
      window.addEventListener("pageshow", () => rest(false), { once: true });
    } catch (error) {
      showProblems(errors, error);
      rest(false);
    }
  });
}
