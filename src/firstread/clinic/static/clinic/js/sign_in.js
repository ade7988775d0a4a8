// @ts-check
/** In the demo a click on a person fills the form in and signs in. */
const form = document.querySelector("form");
for (const button of document.querySelectorAll("[data-fill]")) {
  button.addEventListener("click", () => {
    if (!(form instanceof HTMLFormElement) || !(button instanceof HTMLElement)) return;
    const name = form.elements.namedItem("username");
    const password = form.elements.namedItem("password");
    if (name instanceof HTMLInputElement) name.value = button.dataset.fill ?? "";
    if (password instanceof HTMLInputElement) password.value = button.dataset.password ?? "";
    form.requestSubmit();
  });
}

export {};
