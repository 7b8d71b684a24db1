/** What TypeScript is held to, in the playground and in the extension for VS Code. */
export const rules = {
  "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
  "@typescript-eslint/no-confusing-void-expression": "off",
  "no-restricted-properties": ["error", ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({
    property, message: "a spec's text is never HTML: make elements",
  }))],
};
