// What is wrong with how a page looks: a list of sentences.
(() => {
  const problems = [];
  const name = (element) => `<${element.tagName.toLowerCase()}> ` +
    `'${(element.textContent || '').trim().slice(0, 40)}'`;
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) {
    problems.push(`${document.documentElement.scrollWidth} pixels wide, of ${width}`);
    for (const element of document.body.querySelectorAll('*')) {
      if (element.getBoundingClientRect().right > width + 1 && problems.length < 4) {
        problems.push(`sticks out: ${name(element)}`);
      }
    }
  }

  // Plots: of some size, with something drawn in them, and all of it inside.
  // (A list's are marks of a legend.)
  const plots = [...document.querySelectorAll('svg')].filter((one) => !one.closest('li'));
  for (const plot of plots) {
    const box = plot.getBoundingClientRect();
    const title = name(plot.parentElement);
    if (box.width < 150 || box.height < 60) {
      problems.push(`a plot of ${box.width} x ${box.height}: ${title}`);
    }
    const drawn = [...plot.querySelectorAll('path, rect, circle, polyline, line, polygon')]
      .filter((one) => one.getTotalLength() > 0);
    if (drawn.length < 2) problems.push(`nothing is drawn: ${title}`);
    for (const one of plot.querySelectorAll('path, rect, circle, polyline, text')) {
      const part = one.getBoundingClientRect();
      if (one.closest('defs, clipPath') || part.width + part.height === 0) continue;
      if (part.left < box.left - 2 || part.right > box.right + 2 || part.top < box.top - 2 ||
          part.bottom > box.bottom + 2) {
        problems.push(`drawn outside of its plot: ${name(one)} in ${title}`);
        break;
      }
    }
  }

  // Contrast of texts, by WCAG 2.1: 4.5, for large ones 3.
  const numbers = (color) => (color.match(/[\d.]+/g) || []).map(Number);
  const over = (front, back) => {
    const alpha = front.length > 3 ? front[3] : 1;
    return [0, 1, 2].map((i) => alpha * front[i] + (1 - alpha) * back[i]);
  };
  const backOf = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      layers.push(numbers(getComputedStyle(one).backgroundColor));
    }
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    return layers.reverse().filter((layer) => layer.length >= 3)
      .reduce((back, layer) => over(layer, back), dark ? [18, 18, 18] : [255, 255, 255]);
  };
  const light = (color) => {
    const part = color.map((n) => n / 255)
      .map((n) => n <= 0.03928 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
  };
  let texts = 0;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !element ||
        element.closest('script, style, title, desc')) continue;
    const box = element.getBoundingClientRect();
    if (box.width === 0 || box.height === 0) continue;
    const style = getComputedStyle(element);
    const isDrawn = element instanceof SVGElement;
    const back = backOf(element);
    const front = over(numbers(isDrawn ? style.fill : style.color), back);
    const [high, low] = [light(front), light(back)].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const contrast = (high + 0.05) / (low + 0.05);
    ++texts;
    if (contrast < (isLarge ? 3 : 4.5)) {
      problems.push(`contrast ${contrast.toFixed(2)}: ${name(element)}`);
    }
  }
  return {problems: [...new Set(problems)], plots: plots.length, texts};
})()
