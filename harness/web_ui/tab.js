// What keeps Locust's tab true: an element that asks the server what is known, and swaps the parts that changed.
// It stands in Locust's page (a tab's component may be the name of an element) and in a page of its own.
"use strict";
(() => {
  const HERE = new URL("./", document.currentScript.src); // it may lie below --web-base-path
  const AGAIN_MS = 2000; // where the server does not answer
  const TAB = "payment-chaos";

  const theme = () =>
    localStorage.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

  class PaymentChaos extends HTMLElement {
    connectedCallback() {
      if (!this.shadowRoot) {
        const root = this.attachShadow({ mode: "open" });
        const style = document.createElement("link");
        Object.assign(style, { rel: "stylesheet", href: new URL("tab.css", HERE).href });
        this.silent = document.createElement("p");
        Object.assign(this.silent, { className: "silent", hidden: true, role: "status" });
        this.told = document.createElement("div");
        root.append(style, this.silent, this.told);
      }
      this.dress = () => {
        this.dataset.theme = document.documentElement.dataset.theme = theme();
      };
      // Locust's switch writes the theme while its own click is handled; another tab's is told as "storage".
      this.later = () => setTimeout(this.dress);
      addEventListener("click", this.later);
      addEventListener("storage", this.dress);
      this.dress();
      this.ask();
    }

    disconnectedCallback() {
      clearTimeout(this.timer);
      removeEventListener("click", this.later);
      removeEventListener("storage", this.dress);
    }

    async ask() {
      clearTimeout(this.timer);
      let after = AGAIN_MS;
      try {
        const reply = await fetch(new URL("now", HERE), { cache: "no-store" });
        if (!reply.ok || reply.redirected) throw new Error(String(reply.status));
        after = this.show(await reply.text());
        this.silent.hidden = true;
      } catch {
        this.silent.textContent = "Locust does not answer; what stands here is what was last known.";
        this.silent.hidden = false;
      }
      if (this.isConnected) this.timer = setTimeout(() => this.ask(), after);
    }

    // Parts that say the same stay as they are, so that what was selected or unfolded in them stays so.
    show(html) {
      const fresh = new DOMParser().parseFromString(html, "text/html").querySelector(".told");
      for (const link of fresh.querySelectorAll("a[href]")) link.href = new URL(link.getAttribute("href"), HERE).href;
      const old = new Map([...this.told.children].map((part) => [part.dataset.part, part]));
      const parts = [...fresh.children].map((part) => {
        const before = old.get(part.dataset.part);
        if (before && before.said === part.outerHTML) return before;
        part.said = part.outerHTML;
        const folds = before ? before.querySelectorAll("details") : [];
        part.querySelectorAll("details").forEach((fold, place) => {
          if (folds[place]) fold.open = folds[place].open;
        });
        return part;
      });
      if (parts.some((part, place) => part !== this.told.children[place]) || parts.length !== this.told.children.length)
        this.told.replaceChildren(...parts);
      return Number(fresh.dataset.nextMs);
    }
  }
  customElements.define(TAB, PaymentChaos);

  // What we ask for lies folded away in Locust's form, as "Custom parameters": unfold it where it appears.
  const seen = new WeakSet();
  const unfold = () => {
    for (const fold of document.querySelectorAll("form button[aria-expanded=false]")) {
      if (seen.has(fold) || !fold.textContent.includes("Custom parameters")) continue;
      seen.add(fold);
      fold.click();
    }
  };
  if (window.templateArgs) new MutationObserver(unfold).observe(document.body, { childList: true, subtree: true });

  // Locust opens the tab that its address names: ours, where it names none.
  const address = new URL(location.href);
  if (window.templateArgs && !address.searchParams.has("tab")) {
    address.searchParams.set("tab", TAB);
    history.replaceState(null, "", address);
  }
})();
