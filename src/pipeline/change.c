#include "change.h"

#include <stdlib.h>
#include <string.h>

struct ct_change_order {
  struct ct_aim aim;
  struct ct_compton *compton;
  struct ct_watch_setup watch;
  struct ct_picture_numbers numbers;
  struct ct_spectra *window;           /* NULL: the window stays */
  size_t pixels;
  uint8_t *given, *roi_given[CT_SNAPSHOT_ROIS];
  uint32_t n_rois;
};

int ct_change_order_new(struct ct_change_order **out, const struct ct_analysis_setup *setup, struct ct_err *err)
{
  struct ct_change_order *order = ct_xcalloc(1, sizeof *order);
  order->pixels = (size_t)setup->hexitec.rows * setup->hexitec.cols;
  order->watch = setup->watch;
  ct_picture_numbers(&order->numbers, setup);
  int code = ct_aim_init(&order->aim, &order->compton, setup, err);
  if (code != 0) {
    ct_change_order_free(order);
    return code;
  }
  order->given = ct_xcalloc(order->pixels, 1);
  ct_picture_given(order->given, setup, order->compton);
  for (; order->n_rois < setup->n_rois; order->n_rois++) {
    order->roi_given[order->n_rois] = ct_xcalloc(order->pixels, 1);
    memcpy(order->roi_given[order->n_rois], setup->rois[order->n_rois].select, order->pixels);
  }
  *out = order;
  return 0;
}

void ct_change_order_free(struct ct_change_order *order)
{
  if (order == NULL)
    return;
  ct_aim_fini(&order->aim);
  ct_compton_free(order->compton);
  ct_spectra_free(order->window);
  free(order->given);
  for (uint32_t i = 0; i < order->n_rois; i++)
    free(order->roi_given[i]);
  free(order);
}

void ct_change_order_window(struct ct_change_order *order, struct ct_spectra *fresh) { order->window = fresh; }

void ct_change_order_merge(struct ct_change_order *order, struct ct_change_order *other)
{
  if (other != NULL && order->window == NULL) {
    order->window = other->window;
    other->window = NULL;
  }
  ct_change_order_free(other);
}

/* Regions of before and after; they are as many. */
static bool swap_rois(struct ct_change_order *order, struct ct_picture *p)
{
  bool differ = false;
  for (uint32_t i = 0; i < p->n_rois && i < order->n_rois; i++) {
    uint8_t *before = p->roi_given[i];
    differ = differ || memcmp(before, order->roi_given[i], order->pixels) != 0;
    p->roi_given[i] = order->roi_given[i];
    order->roi_given[i] = before;
  }
  return differ;
}

void ct_change_order_apply(struct ct_change_order *order, struct ct_picture *p, const uint8_t *masked)
{
  bool measured = !ct_aim_measures_alike(&order->aim, &p->aim), rois = swap_rois(order, p);
  if (order->window != NULL)
    ct_spectra_take_window(p->spectra, order->window);
  struct ct_compton *compton = p->compton;
  uint8_t *given = p->given;
  struct ct_aim aim = p->aim;
  p->compton = order->compton;
  p->given = order->given;
  p->aim = order->aim;
  p->numbers = order->numbers;
  order->compton = compton;
  order->given = given;
  order->aim = aim;
  ct_picture_mask(p, masked);
  ct_picture_aim(p);
  bool samples = ct_watch_change(&p->watch, &order->watch, p->numbers.e1_keV);
  if (measured)
    ct_watch_aimed(&p->watch);
  else if (rois || samples)
    ct_watch_restart(&p->watch);
}
